/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to virtio-blk of any type, place and length, in any pieces, one or
 * several at a time, with a disk that comes and goes: each is answered as a model
 * of the disk says, and what is read is what was written.
 */
/* test-sources: devices/virtio/virtio_saved.c kernel/time.c */
/* test-sources: devices/virtio/virtio_blk.c devices/virtio/virtio_blk_request.c */
/* test-sources: devices/virtio/virtq.c devices/virtio/virtq_chain.c */
/* test-sources: devices/virtio/virtq_split.c devices/virtio/virtq_packed.c */
/* test-sources: devices/virtio/virtio.c devices/virtio/virtio_common.c */
/* test-sources: devices/virtio/virtio_pci.c */
/* test-sources: tests/host/virtio/guest.c tests/host/virtio/guest_driver.c */
/* test-sources: devices/backend/ramdisk.c devices/backend/ramdisk_image.c */
/* test-sources: devices/backend/block_queue.c vmm/block_frontend.c */
/* test-sources: devices/hostdev/host_device.c devices/hostdev/host_args.c */
/* test-sources: devices/hostdev/host_config.c lib/ring.c tests/host/backend/world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/irq.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c */
/* test-sources: vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
#include "devices/virtio/virtio_blk.h"
#include "tests/host/virtio/guest.h"

#include <stdlib.h>
#include <string.h>

#define DISK   (64u << 10)
#define SLOT   0x10000u /* of each request's: header, data, status */
#define DATA   0x200000u
#define HEADER 0
#define BYTES  0x100 /* where the data begins */
#define STATUS 0xff00u
#define SLOTS  8

#define FEATURES                                                                 \
	(VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES | \
	 VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

enum { IN, OUT, FLUSH = 4, GET_ID = 8, DISCARD = 11, WRITE_ZEROES = 13 };
enum { OK, IOERR, UNSUPP, NOTHING = 0xee };

struct input {
	const uint8_t *data;
	size_t left;
};

static uint8_t model[DISK];
static bool present;
static uint64_t features; /* agreed on */
static struct guest_queue *queue = &guest_queues[0];

static uint64_t take(struct input *in, size_t n)
{
	uint64_t value = 0;

	n = MIN(n, in->left);
	memcpy(&value, in->data, n);
	in->data += n;
	in->left -= n;
	return value;
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

struct sent {
	uint32_t type;
	uint64_t sector;
	uint32_t len; /* of the data */
	bool whole;   /* else what is data goes on with the header */
};

/* [@at, @at + @len) as buffers, cut where the input says. */
static unsigned cut(struct input *in, struct guest_buf *bufs, gpa_t at, uint32_t len)
{
	unsigned n = 0;
	uint32_t part;

	while (len) {
		part = n < 3 ? (uint32_t)take(in, 2) % len + 1 : len;
		bufs[n++] = (struct guest_buf){at, part};
		at += part;
		len -= part;
	}
	return n;
}

/* A range that the data is, for commands that have one. */
static void put_range(struct input *in, gpa_t at, struct sent *s)
{
	struct {
		uint64_t sector;
		uint32_t sectors, flags;
	} range = {take(in, 1), (uint32_t)take(in, 1), take(in, 1) % 8 ? 0 : (uint32_t)take(in, 1)};

	guest_put(at, &range, sizeof(range));
	s->len = take(in, 1) % 8 ? sizeof(range) : (uint32_t)take(in, 1) % 40;
}

static struct sent send_one(struct input *in, unsigned slot)
{
	static const uint32_t types[] = {IN,	IN,	IN,	 OUT,	       OUT, OUT,
					 FLUSH, GET_ID, DISCARD, WRITE_ZEROES, 2,   0xffffffff};
	gpa_t at = DATA + slot * SLOT;
	struct guest_buf bufs[12];
	struct sent s = {.type = types[take(in, 1) % ARRAY_SIZE(types)], .whole = true};
	uint32_t header_len = 16, i;
	unsigned out, total;

	s.sector = take(in, 1);
	if (take(in, 1) % 16 == 0)
		s.sector = take(in, 8);
	s.len = (uint32_t)take(in, 1) % 80 * 512;
	if (take(in, 1) % 8 == 0)
		s.len = (uint32_t)take(in, 2) % 0x8000;
	if (s.type == DISCARD || s.type == WRITE_ZEROES)
		put_range(in, at + BYTES, &s);
	else
		for (i = 0; i < s.len; i += 64)
			*(uint8_t *)guest_at(at + BYTES + i) = (uint8_t)rand();
	if (take(in, 1) % 32 == 0)
		header_len = (uint32_t)take(in, 1) % 15 + 1;
	s.whole = header_len == 16;
	guest_put(at + HEADER, &(uint32_t[2]){s.type, 0}, 8);
	guest_put(at + HEADER + 8, &s.sector, 8);
	*(uint8_t *)guest_at(at + STATUS) = NOTHING;
	out = cut(in, bufs, at + HEADER, header_len);
	total = out + cut(in, bufs + out, at + BYTES, s.len);
	if (s.type != IN && s.type != GET_ID)
		out = total;
	bufs[total++] = (struct guest_buf){at + STATUS, 1};
	guest_add(queue, bufs, out, total - out, take(in, 1) & 1 ? 0x180000 + slot * 0x400 : 0);
	return s;
}

static uint8_t expect_move(const struct sent *s, gpa_t data)
{
	uint8_t *disk;

	if (!present || !s->len || s->len % 512 || s->sector > DISK / 512 ||
	    s->len > DISK - s->sector * 512)
		return IOERR;
	disk = model + s->sector * 512;
	if (s->type == OUT)
		guest_get(data, disk, s->len);
	else
		for (uint32_t i = 0; i < s->len; i++)
			check(*(uint8_t *)guest_at(data + i) == disk[i]);
	return OK;
}

static uint8_t expect_clear(const struct sent *s, gpa_t data)
{
	uint32_t sectors, flags, first, end;
	uint64_t sector;

	if (!(features & (s->type == DISCARD ? VIRTIO_BLK_F_DISCARD : VIRTIO_BLK_F_WRITE_ZEROES)))
		return UNSUPP;
	if (s->len != 16)
		return IOERR;
	guest_get(data, &sector, 8);
	guest_get(data + 8, &sectors, 4);
	guest_get(data + 12, &flags, 4);
	if (flags & ~(s->type == WRITE_ZEROES ? 1u : 0u))
		return UNSUPP;
	if (!present || !sectors || sector > DISK / 512 || sectors > DISK / 512 - sector)
		return IOERR;
	first = (uint32_t)sector * 512;
	end = first + sectors * 512;
	/* What is discarded is whole pages. */
	if (s->type == DISCARD) {
		first = ALIGN_UP(first, 4096u);
		end = ALIGN_DOWN(end, 4096u);
	}
	if (first < end)
		memset(model + first, 0, end - first);
	return OK;
}

static void check_one(const struct sent *s, unsigned slot)
{
	gpa_t at = DATA + slot * SLOT;
	uint8_t status = *(uint8_t *)guest_at(at + STATUS), expected = UNSUPP;

	if (s->type == IN || s->type == OUT)
		expected = expect_move(s, at + BYTES);
	else if (s->type == FLUSH)
		expected = present ? OK : IOERR;
	else if (s->type == GET_ID)
		expected = OK;
	else if (s->type == DISCARD || s->type == WRITE_ZEROES)
		expected = expect_clear(s, at + BYTES);
	check(status == expected);
}

/* One alone is compared; of several at a time the order is the device's. */
static void requests(struct input *in)
{
	unsigned i, n = take(in, 1) % 4 ? 1 : 1 + (unsigned)take(in, 1) % SLOTS, used = 0;
	struct sent sent[SLOTS];
	uint32_t len;
	uint16_t id;

	for (i = 0; i < n; i++)
		sent[i] = send_one(in, i);
	guest_kick(queue);
	if (n > 1 && take(in, 1) % 8 == 0) {
		common_out(COMMON_STATUS, 1, 0);
		world_work();
		check(!guest_status());
	} else {
		world_work();
		while (guest_used(queue, &id, &len))
			used++;
		check(used == n && !(guest_status() & VIRTIO_STATUS_NEEDS_RESET));
	}
	for (i = 0; i < n && used; i++)
		check(*(uint8_t *)guest_at(DATA + i * SLOT + STATUS) != NOTHING);
	if (n == 1 && sent[0].whole)
		check_one(&sent[0], 0);
	else if (present) { /* begin again */
		world_del(0, "ram");
		present = false;
	}
}

static void drive(struct input *in)
{
	memset(model, 0, DISK);
	common_out(COMMON_STATUS, 1, 0);
	world_work();
	features = guest_offered() & FEATURES;
	if (take(in, 1) & 1)
		features |= VIRTIO_F_RING_PACKED;
	guest_drive(features, 1);
}

static void plug(struct input *in)
{
	if (present)
		world_del(0, "ram");
	else if (!world_add(0, "ramdisk", "ram", "frontend = card\nsize = 64K\n"))
		abort();
	present = !present;
	drive(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	srand(1);
	present = false;
	if (!guest_start("virtio-blk:") ||
	    !world_add(0, "ramdisk", "ram", "frontend = card\nsize = 64K\n"))
		abort();
	present = true;
	drive(&in);
	while (in.left) {
		if (!present || !guest_status() || take(&in, 1) % 32 == 0)
			plug(&in);
		requests(&in);
	}
	guest_end();
	return 0;
}
