/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `loadmod`: an image or a config over the serial line, as base64 or by XMODEM or YMODEM, into the
 * store of modules, where configs find it as module:NAME. It stays until the machine is reset.
 */
#include "admin/loadmod.h"

#include "admin/command.h"
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

#define LOADMOD_WAYS "base64|xmodem|ymodem"
enum { LOADMOD_BASE64, LOADMOD_XMODEM, LOADMOD_YMODEM };
_Static_assert(LOADMOD_MAX == PAGE_SIZE << LOADMOD_ORDER_MAX, "loadmod.h");

static struct page_owner owner;

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
	uint8_t *more;

	if (order > LOADMOD_ORDER_MAX)
		return -EFBIG;
	more = page_alloc(&owner, order);
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

/* One step of growth makes space for more than comes at a time. */
int loadmod_put(struct loadmod *l, const uint8_t *bytes, size_t n)
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

static int loadmod_base64(struct loadmod *l)
{
	console_printf(
		"Send the file as base64. A line with a single . ends it, Ctrl-C gives up.\n");
	return loadmod_paste(l);
}

static const char *loadmod_why(int err)
{
	switch (err) {
	case -EINVAL:
		return "not base64 from begin to end";
	case -EFBIG:
		return "more came than its size, or than 256 MiB";
	case -EMSGSIZE:
		return "less came than its size";
	case -ENOSPC:
		return "there is no place for another module";
	default:
		return transfer_why(err) ?: "out of memory";
	}
}

static void loadmod_done(struct loadmod *l, int err)
{
	size_t came = l->len;

	if (!err)
		err = boot_module_add(l->name, l->data, l->len);
	if (!err) {
		console_printf("module %s: %zu bytes, CRC-32 %08x\n", l->name, l->len,
			       loadmod_crc32(l->data, l->len));
		return;
	}
	if (l->data)
		page_free(&owner, l->data, l->order);
	command_error("loadmod: %s: %s; nothing is kept of %zu bytes\n", l->name, loadmod_why(err),
		      came);
}

/* Which way, and the size in l->size; -1 with a message: it cannot be. */
static int loadmod_way(struct loadmod *l, char **argv)
{
	uint64_t way = LOADMOD_BASE64;

	if (!parse_name(l->name, LOADMOD_NAME_MAX))
		command_error("loadmod: %s: expected a name of letters, digits, . _ -\n", l->name);
	else if (boot_module_find(l->name))
		command_error("loadmod: %s: there is a module of that name\n", l->name);
	else if (argv[2] && !parse_choice(argv[2], LOADMOD_WAYS, &way))
		command_error("loadmod: %s: expected " LOADMOD_WAYS "\n", argv[2]);
	else if (argv[2] && argv[3] &&
		 (way != LOADMOD_XMODEM || !parse_size(argv[3], &l->size) || !l->size ||
		  l->size > LOADMOD_MAX))
		command_error("loadmod: %s: expected the size of a file that comes by xmodem\n",
			      argv[3]);
	else
		return (int)way;
	return -1;
}

static void command_loadmod(char **argv)
{
	struct loadmod *l = kzalloc(sizeof(*l));
	int way;

	if (!l) {
		command_error("loadmod: out of memory\n");
		return;
	}
	if (!owner.name)
		page_owner_register(&owner, "loadmod");
	l->name = argv[1];
	way = loadmod_way(l, argv);
	if (way >= 0)
		loadmod_done(l, way == LOADMOD_BASE64 ? loadmod_base64(l)
						      : loadmod_xmodem(l, way == LOADMOD_YMODEM));
	kfree(l);
}

COMMAND(loadmod_entry, .name = "loadmod", .args = "NAME [" LOADMOD_WAYS " [SIZE]]",
	.help = "take a file over the serial line, for configs: module:NAME; SIZE cuts off what "
		"XMODEM pads",
	.example = "loadmod rootfs.img ymodem", .min = 1, .max = 3, .run = command_loadmod,
	.live = true);
