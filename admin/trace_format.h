/* SPDX-License-Identifier: BSD-2-Clause */
/* An exit of the flight recorder as a line of text. */
#ifndef ADMIN_TRACE_FORMAT_H
#define ADMIN_TRACE_FORMAT_H

#include "vmm/flight.h"

#include <stddef.h>

#define TRACE_LINE_MAX 128
/* What stands above such lines. */
#define TRACE_HEAD "          TIME               RIP      COST ns  REASON"

/* @open: it is being dealt with, its cost is not known. 0-terminated; no lock, usable in a panic.
 */
void trace_format(char line[TRACE_LINE_MAX], const struct flight_exit *e, bool open);

#endif
