/* SPDX-License-Identifier: BSD-2-Clause */
/* `info hostdevs`: those that are open, copied under their lock and then printed. `help hostdev`.
 */
#include "devices/hostdev/host_device.h"
#include "kernel/command.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/help_topic.h"
#include "vmm/vm.h"

#include <stdio.h>

struct host_view {
	char vm[VM_NAME_MAX + 1], id[DEVICE_ID_MAX + 1];
	char url[256], where[32];
	bool vanished, dma_told;
	gpa_t dma_base;
	uint64_t dma_size;
	struct host_region regions[HOST_REGIONS];
};

/* Number @index, as it is now. */
static bool host_look(struct host_view *view, unsigned index)
{
	struct host_device *hd;
	bool found = false;

	spin_lock(&host_devices_lock);
	list_for_each_entry (hd, &host_devices, link) {
		if (index--)
			continue;
		found = true;
		snprintf(view->vm, sizeof(view->vm), "%s", hd->owner->vm->name);
		snprintf(view->id, sizeof(view->id), "%s", hd->owner->id);
		snprintf(view->url, sizeof(view->url), "%s", hd->url);
		view->where[0] = '\0';
		if (hd->front && hd->front->where)
			hd->front->where(hd->front_opaque, view->where, sizeof(view->where));
		view->vanished = READ_ONCE(hd->vanished);
		view->dma_base = hd->dma_base;
		view->dma_size = hd->dma_size;
		view->dma_told = READ_ONCE(hd->dma_told);
		for (unsigned i = 0; i < HOST_REGIONS; i++)
			view->regions[i] = hd->regions[i];
		break;
	}
	spin_unlock(&host_devices_lock);
	return found;
}

static void host_print_region(unsigned number, const struct host_region *r)
{
	if (number == HOST_REGION_ROM)
		console_printf("  ROM           ");
	else if (number == HOST_REGION_CONFIG)
		console_printf("  configuration ");
	else
		console_printf("  region %u      ", number);
	console_printf(" %#14lx bytes", r->size);
	if (number < HOST_REGION_BARS)
		console_printf(" of %s%s%s", r->io ? "ports" : "memory", r->wide ? ", 64-bit" : "",
			       r->prefetchable ? ", prefetchable" : "");
	if (r->pages)
		console_printf(", mapped %#lx at %#lx", r->pages_size, r->pages_offset);
	if (r->doorbell_size)
		console_printf(", doorbells at %#lx", r->doorbell_offset);
	console_printf("\n");
}

static void info_hostdevs(char **argv __unused)
{
	struct host_view *view = kmalloc(sizeof(*view));
	unsigned n, i;

	for (n = 0; view && host_look(view, n); n++) {
		console_printf("%s of %s: %s%s%s%s\n", view->id, view->vm, view->url,
			       view->where[0] ? " at " : "", view->where,
			       view->vanished ? ", vanished" : "");
		for (i = 0; i < HOST_REGIONS; i++)
			if (view->regions[i].size)
				host_print_region(i, &view->regions[i]);
		if (view->dma_size != UINT64_MAX)
			console_printf("  DMA            %#14lx bytes from %#lx on%s\n",
				       view->dma_size, view->dma_base,
				       view->dma_told ? "; it was told to go beyond" : "");
	}
	if (!n)
		console_printf(view ? "no host device is open\n" : "no memory\n");
	kfree(view);
}

INFO_TOPIC(
	info_hostdevs_topic, .name = "hostdevs", .args = "",
	.help = "host devices that are open: who shows them where, their regions and DMA windows",
	.run = info_hostdevs);

struct host_help {
	help_topic_fn fn;
	void *opaque;
};

static void host_help_scheme(void *opaque, const struct host_scheme *scheme)
{
	const struct host_help *help = opaque;

	help->fn(help->opaque, &(struct help_entry){.name = scheme->name,
						    .help = scheme->help,
						    .first = scheme->path_help ? "PATH" : NULL,
						    .first_help = scheme->path_help,
						    .keys = scheme->keys});
}

static void host_help_each(help_topic_fn fn, void *opaque)
{
	struct host_help help = {fn, opaque};

	host_scheme_for_each(host_help_scheme, &help);
}

HELP_TOPIC(host_help_topic, .name = "hostdev", .entry = "host device",
	   .help = "host devices, by the scheme of their URL, SCHEME:PATH?KEY=VALUE&...",
	   .each = host_help_each);
