/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What admin/mux/ stands on, and its other end: a line, three VMs with a console each, and who
 * reads the frames and checks that none is broken, out of place or more than was allowed.
 */
#ifndef TESTS_HOST_ADMIN_MUX_WORLD_H
#define TESTS_HOST_ADMIN_MUX_WORLD_H

#include "admin/mux/mux.h"

#define WORLD_VMS  3
#define WORLD_KEPT 8192
#define WORLD_NAME 128

extern struct console_sink world_line;
/* What the shell was typed, and how much it takes. */
extern char world_typed[WORLD_KEPT];
extern size_t world_typed_len, world_shell_space;
/* What the guests got; how much more each takes. */
extern char world_guest[WORLD_VMS][WORLD_KEPT];
extern size_t world_guest_len[WORLD_VMS], world_guest_takes[WORLD_VMS];

struct world_end {
	char said[256][WORLD_KEPT]; /* by channel, the last bytes */
	size_t len[256];
	uint16_t pos[256];    /* behind what came */
	uint16_t limit[256];  /* that we gave */
	uint16_t credit[256]; /* that we got */
	uint8_t vm_channel[WORLD_VMS];
	bool open[256];
	uint8_t kind[256];
	char name[256][WORLD_NAME];
	uint32_t errors[MUX_ERRORS];
	unsigned hellos, byes, closed, pongs;
	char text[WORLD_KEPT]; /* not in frames */
};
extern struct world_end world_end;

/* The line is plain, VMs are off, everybody takes everything. */
void world_reset(void);
void world_start(unsigned vm);
void world_stop(unsigned vm);
void world_says(unsigned vm, const char *text, size_t len);
/* Bytes to the machine, and what it does then. */
void world_send(const void *data, size_t len);
void world_frame(uint8_t channel, uint16_t pos, const void *data, size_t len);
/* Takes up to @limit of the channel. */
void world_credit(uint8_t channel, uint16_t limit);
void world_run(void);

#endif
