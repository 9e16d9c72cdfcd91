/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our own command line, from grub.cfg:
 *
 *   console=com1,vga      where the prompt goes, and the log: com1 com2 vga fb none
 *   log=com2              where the log goes instead, in the same words
 *   loglevel=info         error warn info debug: what is shown of the log
 *   cpus=4                how many CPUs to use at most
 *   autostart=no          start no VM by itself, whatever the configs say
 *   apicv=no              the CPU delivers no interrupts to guests by itself
 *   msr-areas=yes         the CPU switches MSRs by lists in memory, fields or not
 */
#ifndef BOOT_CMDLINE_H
#define BOOT_CMDLINE_H

#include "kernel/log.h"

#include <stdbool.h>
#include <stdint.h>

#define CMDLINE_CONSOLE_COM1 0x1u
#define CMDLINE_CONSOLE_COM2 0x2u
#define CMDLINE_CONSOLE_VGA  0x4u
#define CMDLINE_CONSOLE_FB   0x8u

struct cmdline {
	unsigned consoles; /* CMDLINE_CONSOLE_ bits */
	unsigned logs;	   /* the same, which take the log */
	enum log_level loglevel;
	uint32_t cpus; /* at least 1 */
	bool autostart, apicv, msr_areas;
};

/*
 * Fills @out from @text. A word that is not understood keeps its default and
 * is given to @complain (may be NULL), with what was expected.
 */
void cmdline_parse(const char *text, struct cmdline *out,
		   void (*complain)(const char *word, const char *expected));

#endif
