/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this layer needs from the ones above it. The one instance is const and
 * lies in boot/host.c, which knows them all; it serves from the first line of C.
 */
#ifndef ARCH_X86_64_HOST_H
#define ARCH_X86_64_HOST_H

#include "arch/x86_64/exceptions.h"
#include "lib/compiler.h"

struct arch_host {
	/* One line for the log, no newline. */
	void (*info)(const char *fmt, ...) __printf(1, 2);
	void (*warn)(const char *fmt, ...) __printf(1, 2);
	/* 2^@order zeroed pages by their direct-map address, NULL if there are none. */
	void *(*pages)(unsigned order);
	void (*pages_free)(void *pages, unsigned order);
	/* The end: an exception in our own code. */
	void __noreturn (*exception)(const struct exception_frame *frame);
	/* An NMI: the panic of another CPU, or the hardware's. Returns only from what is harmless.
	 */
	void (*nmi)(const struct exception_frame *frame);
};

extern const struct arch_host arch_host;

#endif
