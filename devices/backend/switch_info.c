/* SPDX-License-Identifier: BSD-2-Clause */
/* `info switch`: the ports of all switches, copied under their locks and then printed. */
#include "devices/backend/switch.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <string.h>

struct switch_view {
	char name[SWITCH_NAME_MAX + 1];
	unsigned port_count;
	struct {
		char id[DEVICE_ID_MAX + 1], vm[VM_NAME_MAX + 1];
		unsigned addresses;
		bool stalled;
		struct switch_counts counts;
	} ports[SWITCH_PORTS];
};

/* Under switches_lock. */
static void switch_look(struct switch_view *view, struct net_switch *sw)
{
	unsigned i;

	strcpy(view->name, sw->name);
	view->port_count = 0;
	spin_lock(&sw->lock);
	for (i = 0; i < SWITCH_PORTS; i++) {
		const struct switch_port *port = sw->ports[i];
		unsigned n = view->port_count;

		if (!port)
			continue;
		strcpy(view->ports[n].id, port->dev->id);
		strcpy(view->ports[n].vm, port->dev->vm->name);
		view->ports[n].addresses = sw->table.counts[i];
		view->ports[n].stalled = port->stalled;
		view->ports[n].counts = port->counts;
		view->port_count++;
	}
	spin_unlock(&sw->lock);
}

/* Switch number @index, as it is now. */
static bool switch_view(struct switch_view *view, unsigned index)
{
	struct net_switch *sw;
	bool found = false;

	spin_lock(&switches_lock);
	list_for_each_entry (sw, &switches, link) {
		if (index--)
			continue;
		switch_look(view, sw);
		found = true;
		break;
	}
	spin_unlock(&switches_lock);
	return found;
}

static void switch_print(const struct switch_view *view)
{
	unsigned i;

	console_printf("switch %s\n", view->name);
	for (i = 0; i < view->port_count; i++) {
		const struct switch_counts *c = &view->ports[i].counts;

		console_printf("  %s of %s: %u addresses%s\n"
			       "    sent      %10lu frames %12lu bytes, %lu to all, %lu unlearned\n"
			       "    received  %10lu frames %12lu bytes, %lu summed or cut\n"
			       "    dropped   length %lu, source %lu, same port %lu, offload %lu, "
			       "queue full %lu\n",
			       view->ports[i].id, view->ports[i].vm, view->ports[i].addresses,
			       view->ports[i].stalled ? ", its guest takes nothing" : "", c->sent,
			       c->sent_bytes, c->flooded, c->unlearned, c->received,
			       c->received_bytes, c->finished, c->drops[SWITCH_DROP_LENGTH],
			       c->drops[SWITCH_DROP_SOURCE], c->drops[SWITCH_DROP_SAME],
			       c->drops[SWITCH_DROP_OFFLOAD], c->drops[SWITCH_DROP_FULL]);
	}
}

static void info_switch(char **argv)
{
	struct switch_view *view = kmalloc(sizeof(*view));
	unsigned i = 0;

	(void)argv;
	while (view && switch_view(view, i)) {
		switch_print(view);
		i++;
	}
	if (!i)
		console_printf(view ? "no switch\n" : "no memory\n");
	kfree(view);
}

INFO_TOPIC(info_switch_topic, .name = "switch", .args = "",
	   .help = "Ethernet switches: ports, frames, what was dropped", .run = info_switch);
