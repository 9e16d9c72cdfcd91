/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-runs: 4000 */
/* test-sources: vmm/device_key_value.c devices/backend/net_offload.c */
/* test-sources: devices/backend/ramdisk.c devices/backend/ramdisk_image.c */
/* test-sources: devices/backend/null_disk.c */
/* test-sources: devices/backend/block_queue.c vmm/block_frontend.c */
/* test-sources: devices/backend/switch.c devices/backend/switch_table.c */
/* test-sources: devices/backend/switch_info.c devices/backend/net_null.c vmm/net_frontend.c */
/* test-sources: lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/*
 * Disks and network cards that ask for anything, of backends that come and go:
 * each request is done once, and what is written is read back.
 */
#include "kernel/console.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "tests/host/backend/world.h"
#include "vmm/block_frontend.h"
#include "vmm/net_frontend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS  6
#define DISK_SIZE 32768u
#define CARDS	  3

struct time_scale time_scale = {.ns_mult = UINT64_C(1) << 32, .tsc_mult = UINT64_C(1) << 32};

void console_printf(const char *fmt, ...)
{
	(void)fmt;
}

struct input {
	const uint8_t *data;
	size_t left;
};

static unsigned take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

/* Disk and cards of VM a. */

struct card {
	struct net_frontend front;
	unsigned room;
	bool wants;
};

static struct block_frontend *disk;
static struct card *cards[CARDS];
static unsigned card_count;

static void front_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int disk_create(struct device *dev, const struct device_config *config)
{
	(void)config;
	disk = kzalloc(sizeof(*disk));
	dev->state = disk;
	block_frontend_init(disk);
	return device_provide_frontend(dev, &disk->base);
}

static bool card_receive(void *opaque, const struct net_frame *frame)
{
	struct card *c = opaque;
	size_t len = 0;
	bool ok;

	spin_lock(&c->front.base.lock);
	ok = c->room > 0;
	c->room -= ok;
	c->wants = !ok;
	spin_unlock(&c->front.base.lock);
	for (size_t i = 0; i < frame->piece_count; i++) {
		for (size_t at = 0; at < frame->pieces[i].len; at++)
			(void)*(const volatile uint8_t *)(frame->pieces[i].data + at);
		len += frame->pieces[i].len;
	}
	if (len != frame->len || len > NET_FRAME_MAX)
		abort();
	return ok;
}

static void card_nothing(void *opaque)
{
	(void)opaque;
}

static void card_link(void *opaque, bool up)
{
	(void)opaque;
	(void)up;
}

static int card_create(struct device *dev, const struct device_config *config)
{
	struct card *c = kzalloc(sizeof(*c));

	(void)config;
	dev->state = c;
	net_frontend_init(&c->front);
	c->front.receive = card_receive;
	c->front.send_ready = card_nothing;
	c->front.link = card_link;
	c->front.opaque = c;
	cards[card_count++] = c;
	return device_provide_frontend(dev, &c->front.base);
}

DEVICE_TYPE(disk_type, .name = "disk", .help = "a disk", .create = disk_create,
	    .destroy = front_destroy);
DEVICE_TYPE(card_type, .name = "card", .help = "a network card", .create = card_create,
	    .destroy = front_destroy);

static void replug(unsigned vm, const char *id, const char *type, const char *keys)
{
	if (device_find(&world_vms[vm], id))
		world_del(vm, id);
	if (*type && !world_add(vm, type, id, keys))
		abort();
}

/* Block requests. */

static struct request {
	struct block_request request;
	struct block_piece pieces[4];
	uint8_t data[DISK_SIZE];
	bool pending;
	int err;
} requests[REQUESTS];
static uint8_t content[DISK_SIZE]; /* what a ramdisk has */
static bool content_known;

static void request_done(struct block_request *request, int err)
{
	struct request *r = container_of(request, struct request, request);

	if (!r->pending)
		abort();
	r->pending = false;
	r->err = err;
}

static void plug_disk(unsigned how)
{
	static const char *const types[] = {"", "ramdisk", "ramdisk", "null-disk", "null-disk"};
	static const char *const keys[] = {"", "frontend = disk\nsize = 32K\n",
					   "frontend = disk\nsize = 32K\nblock-size = 4096\n",
					   "frontend = disk\n",
					   "frontend = disk\nwrites = refuse\nsize = 32K\n"};

	how %= ARRAY_SIZE(types);
	replug(0, "store", types[how], keys[how]);
	memset(content, 0, sizeof(content));
	content_known = !strcmp(types[how], "ramdisk");
}

static size_t fill_pieces(struct request *r, struct input *in, uint64_t bytes)
{
	size_t count = take(in) % 4 + 1, at = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t n = i + 1 == count ? bytes - at : MIN(bytes - at, take(in) * 37u);

		r->pieces[i] = (struct block_piece){r->data + at, n};
		at += n;
	}
	/* Not as long as they are said to be, at times. */
	if (take(in) == 7)
		r->pieces[0].len ^= 512;
	return count;
}

/* Nothing else was on its way: what it has done is known. */
static void check_content(struct request *r)
{
	uint64_t offset = r->request.offset, bytes = r->request.bytes;

	if (r->err || !content_known)
		return;
	if (r->request.op == BLOCK_WRITE)
		memcpy(content + offset, r->data, bytes);
	else if (r->request.op == BLOCK_WRITE_ZEROES)
		memset(content + offset, 0, bytes);
	else if (r->request.op == BLOCK_READ && memcmp(content + offset, r->data, bytes))
		abort();
	else if (r->request.op == BLOCK_DISCARD)
		content_known = false;
}

static void submit(struct input *in, bool alone)
{
	struct request *r = &requests[take(in) % REQUESTS];
	uint8_t fill = (uint8_t)take(in);
	int err;

	if (r->pending)
		return;
	r->request = (struct block_request){.op = (enum block_op)(fill % 5),
					    .offset = take(in) * 512u,
					    .bytes = take(in) % 65 * 512u,
					    .pieces = r->pieces,
					    .done = request_done};
	if (fill > 250)
		r->request.offset = ~UINT64_C(0) - r->request.offset;
	if (fill == 249)
		r->request.bytes += 100;
	if (r->request.bytes > DISK_SIZE)
		r->request.bytes = DISK_SIZE;
	if (r->request.op <= BLOCK_WRITE && r->request.bytes)
		r->request.piece_count = fill_pieces(r, in, r->request.bytes);
	memset(r->data, fill, sizeof(r->data));
	r->pending = true;
	err = block_submit(disk, &r->request);
	if (err != BLOCK_PENDING) {
		r->pending = false;
		r->err = err;
	}
	if (!alone) {
		content_known = false;
		return;
	}
	world_work();
	if (r->pending)
		abort();
	check_content(r);
}

/* Frames. */

static void send(struct input *in)
{
	struct card *c = cards[take(in) % CARDS];
	uint8_t frame[2048] = {0};
	size_t len = take(in) * 8u, head = take(in) % 32;
	const struct net_piece pieces[2] = {{frame, MIN(head, len)},
					    {frame + MIN(head, len), len - MIN(head, len)}};
	const struct net_frame f = {.pieces = pieces, .piece_count = 2, .len = len};
	bool ok;

	for (unsigned i = 0; i < NET_HEADER; i++)
		frame[i] = (uint8_t)(take(in) & (i % 6 == 5 ? 7 : 0x83));
	spin_lock(&c->front.base.lock);
	ok = !net_backend(&c->front) ||
	     net_backend(&c->front)->send(c->front.base.backend_opaque, &f);
	spin_unlock(&c->front.base.lock);
	if (!ok)
		world_work();
}

static void let_in(struct input *in)
{
	struct card *c = cards[take(in) % CARDS];

	spin_lock(&c->front.base.lock);
	c->room = take(in) % 16;
	if (c->wants && net_backend(&c->front))
		net_backend(&c->front)->receive_ready(c->front.base.backend_opaque);
	c->wants = false;
	spin_unlock(&c->front.base.lock);
}

static void plug_card(unsigned how)
{
	static const char *const ids[CARDS] = {"p0", "p1", "p2"};
	static const char *const keys[CARDS] = {"frontend = c0\nswitch = lan\n",
						"frontend = c1\nswitch = lan\nmac-limit = 1\n",
						"frontend = c2\nswitch = lan\nmac-limit = 3\n"};
	static const char *const nobody[CARDS] = {"frontend = c0\n", "frontend = c1\n",
						  "frontend = c2\n"};
	unsigned i = how % CARDS;

	if (how & 0x40)
		replug(0, ids[i], "", "");
	else if (how & 0x20)
		replug(0, ids[i], "net-null", nobody[i]);
	else
		replug(0, ids[i], "switch", keys[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	world_start();
	card_count = 0;
	memset(requests, 0, sizeof(requests));
	if (!world_add(0, "disk", "disk", "") || !world_add(0, "card", "c0", "") ||
	    !world_add(0, "card", "c1", "") || !world_add(0, "card", "c2", ""))
		abort();
	plug_disk(take(&in));
	for (unsigned i = 0; i < CARDS; i++)
		plug_card(i);
	while (in.left) {
		unsigned op = take(&in) % 16;

		if (op < 6)
			submit(&in, op & 1);
		else if (op < 10)
			send(&in);
		else if (op < 12)
			let_in(&in);
		else if (op == 12)
			world_work_one();
		else if (op == 13)
			world_work();
		else if (op == 14)
			plug_card(take(&in));
		else
			plug_disk(take(&in));
	}
	world_end();
	for (unsigned i = 0; i < REQUESTS; i++)
		if (requests[i].pending)
			abort();
	return 0;
}
