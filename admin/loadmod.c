/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `loadmod`: an image or a config over the serial line, as base64, into the store of modules, where
 * configs find it as module:NAME. It stays until the machine is reset.
 */
#include "admin/base64.h"
#include "admin/command.h"
#include "admin/paste.h"
#include "kernel/boot_info.h"
#include "kernel/console.h"
#include "kernel/page_alloc.h"
#include "kernel/slab.h"
#include "lib/parse.h"

#include <errno.h>
#include <string.h>

#define LOADMOD_NAME_MAX  63
#define LOADMOD_ORDER_MIN 4  /* 64 KiB */
#define LOADMOD_ORDER_MAX 16 /* 256 MiB: eight hours of 115200 baud */
#define CRC32_POLYNOMIAL                                                        \
	0xedb88320u /* IEEE 802.3, reflected: that of zlib, gzip, Python's zlib \
		     */

static struct page_owner owner;

/* A file as far as it has come. */
struct loadmod {
	char line[PASTE_LINE_MAX + 1];
	uint8_t bytes[PASTE_LINE_MAX];
	struct base64 base64;
	uint8_t *data; /* of 2^order pages; NULL: none yet */
	unsigned order;
	size_t len;
};

static uint32_t loadmod_crc32(const uint8_t *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
	}
	return ~crc;
}

static int loadmod_grow(struct loadmod *l)
{
	unsigned order = l->data ? l->order + 1 : LOADMOD_ORDER_MIN;
	uint8_t *more = order <= LOADMOD_ORDER_MAX ? page_alloc(&owner, order) : NULL;

	if (!more)
		return -ENOMEM;
	if (l->data) {
		memcpy(more, l->data, l->len);
		page_free(&owner, l->data, l->order);
	}
	l->data = more;
	l->order = order;
	return 0;
}

/* The first line that grows it makes space for more than one line. */
static int loadmod_put(struct loadmod *l, const uint8_t *bytes, size_t n)
{
	int err = 0;

	if (!l->data || n > (PAGE_SIZE << l->order) - l->len)
		err = loadmod_grow(l);
	if (err)
		return err;
	memcpy(l->data + l->len, bytes, n);
	l->len += n;
	return 0;
}

/* All lines up to the dot are taken, whatever is wrong with them: none is run as a command. */
static int loadmod_paste(struct loadmod *l)
{
	size_t len, n;
	int err = 0;

	for (;;) {
		enum paste_result result = paste_line(l->line, &len, false);

		if (result == PASTE_CANCEL)
			return -ECANCELED;
		if (result == PASTE_END)
			return err || base64_ends(&l->base64) ? err : -EINVAL;
		if (err)
			continue;
		if (result == PASTE_TOO_LONG ||
		    !base64_line(&l->base64, l->line, len, l->bytes, &n))
			err = -EINVAL;
		else
			err = loadmod_put(l, l->bytes, n);
	}
}

static void loadmod_done(struct loadmod *l, const char *name, int err)
{
	if (!err)
		err = boot_module_add(name, l->data, l->len);
	if (!err) {
		console_printf("module %s: %zu bytes, CRC-32 %08x\n", name, l->len,
			       loadmod_crc32(l->data, l->len));
		return;
	}
	if (l->data)
		page_free(&owner, l->data, l->order);
	if (err == -ECANCELED)
		command_error("loadmod: given up\n");
	else if (err == -EINVAL)
		command_error("loadmod: %s: not base64 from begin to end; nothing is kept\n", name);
	else if (err == -ENOSPC)
		command_error("loadmod: %s: there are %u modules, and no more is possible\n", name,
			      BOOT_MAX_MODULES);
	else
		command_error("loadmod: %s: out of memory\n", name);
}

static void command_loadmod(char **argv)
{
	struct loadmod *l;

	if (!parse_name(argv[1], LOADMOD_NAME_MAX)) {
		command_error("loadmod: %s: expected a name of letters, digits, . _ -\n", argv[1]);
		return;
	}
	if (boot_module_find(argv[1])) {
		command_error("loadmod: %s: there is a module of that name\n", argv[1]);
		return;
	}
	l = kzalloc(sizeof(*l));
	if (!l) {
		command_error("loadmod: out of memory\n");
		return;
	}
	if (!owner.name)
		page_owner_register(&owner, "loadmod");
	console_printf(
		"Send the file as base64. A line with a single . ends it, Ctrl-C gives up.\n");
	loadmod_done(l, argv[1], loadmod_paste(l));
	kfree(l);
}

COMMAND(loadmod_entry, .name = "loadmod", .args = "NAME",
	.help = "take a file over the serial line, as base64, for configs: module:NAME",
	.example = "loadmod rootfs.img", .min = 1, .max = 1, .run = command_loadmod, .live = true);
