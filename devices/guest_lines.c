/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/guest_lines.h"

#include "kernel/time.h"
#include "vmm/device.h"
#include "vmm/vm.h"

static bool guest_lines_may_show(struct guest_lines *g)
{
	uint64_t second = vm_time_ns(g->dev->vm) / NSEC_PER_SEC;

	if (second != g->second) {
		if (g->dropped)
			device_log(g->dev, LOG_WARN, "%u lines were not shown", g->dropped);
		g->second = second;
		g->shown = g->dropped = 0;
	}
	if (g->shown == GUEST_LINES_SECOND) {
		g->dropped++;
		return false;
	}
	g->shown++;
	return true;
}

static void guest_lines_show(struct guest_lines *g, const char *mark)
{
	if (guest_lines_may_show(g))
		device_log(g->dev, LOG_INFO, "%.*s%s", (int)g->count, g->line, mark);
	g->count = 0;
}

void guest_lines_flush(struct guest_lines *g)
{
	if (g->count)
		guest_lines_show(g, "");
	g->cut = false;
}

void guest_lines_put(struct guest_lines *g, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (data[i] == '\n') {
			guest_lines_flush(g);
		} else if (data[i] < ' ' || data[i] > '~' || g->cut) {
			continue;
		} else if (g->count == sizeof(g->line)) {
			guest_lines_show(g, "…");
			g->cut = true;
		} else {
			g->line[g->count++] = (char)data[i];
		}
	}
}
