/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/progress.h"

#include "admin/command.h"
#include "admin/input.h"
#include "admin/terminal.h"
#include "kernel/console.h"
#include "kernel/time.h"
#include "lib/compiler.h"

#include <inttypes.h>
#include <stdio.h>

#define PROGRESS_PERIOD_NS (250 * NSEC_PER_MSEC)
#define PROGRESS_CTRLC	   0x03

void progress_begin(struct progress *p, const char *what)
{
	*p = (struct progress){.what = what, .start = time_ns()};
	p->shown_at = p->start;
}

static void show(const struct progress *p, uint64_t done, uint64_t total, uint64_t now)
{
	uint64_t rate = done * 1000 / ((now - p->start) / NSEC_PER_MSEC);
	char text[CONSOLE_EDIT_MAX + 1];
	int len;

	if (total)
		len = snprintf(text, sizeof(text),
			       "%s: %" PRIu64 " %%, %" PRIu64 " KiB/s, %" PRIu64
			       " s left; Ctrl-C gives up",
			       p->what, done * 100 / total, rate,
			       (total - MIN(done, total)) / MAX(rate, UINT64_C(1)));
	else
		len = snprintf(text, sizeof(text),
			       "%s: %" PRIu64 " KiB, %" PRIu64 " KiB/s; Ctrl-C gives up", p->what,
			       done, rate);
	console_edit(text, (size_t)len);
}

void progress_update(struct progress *p, uint64_t done, uint64_t total)
{
	uint64_t now = time_ns();

	if (now - p->shown_at < PROGRESS_PERIOD_NS || command_is_held() || !terminal_is_known())
		return;
	p->shown_at = now;
	p->shown = true;
	show(p, done >> 10, total >> 10, now);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		console_edit(NULL, 0);
}

bool progress_cancelled(void)
{
	return !command_is_held() && input_skip(PROGRESS_CTRLC);
}
