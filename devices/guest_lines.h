/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's bytes as lines of our log, under its device's name. The log is
 * everyone's: of a guest that floods it, some lines a second are shown, and
 * how many were not. Lines that are too long are cut and marked; what cannot
 * be printed would only disturb the terminal.
 */
#ifndef DEVICES_GUEST_LINES_H
#define DEVICES_GUEST_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

#define GUEST_LINES_MAX	   160 /* bytes of a line */
#define GUEST_LINES_SECOND 100

/* Under its device's lock; starts as zeroes but for `dev`. */
struct guest_lines {
	struct device *dev;
	unsigned count; /* bytes in `line` */
	bool cut;	/* it was shown without its end, which is still to come */
	char line[GUEST_LINES_MAX];
	uint64_t second; /* of vm_time_ns(), that these are of: */
	unsigned shown, dropped;
};

void guest_lines_put(struct guest_lines *g, const uint8_t *data, size_t len);
/* No more comes: what there is of a line is one. */
void guest_lines_flush(struct guest_lines *g);

#endif
