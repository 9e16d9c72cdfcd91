/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-runs: 5000 */
/* test-sources: devices/storage devices/backend/ramdisk.c devices/backend/ramdisk_image.c */
/* test-sources: devices/backend/block_queue.c vmm/block_frontend.c */
/* test-sources: vmm/checkpoint/place.c lib/crc32c.c kernel/fast_crc32c.c */
/* test-sources: tests/host/backend/world.c tests/host/fake/kernel/fake_work.c */
/* test-sources: vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/vm_config_text.c vmm/device_key_value.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c vmm/frontend.c vmm/irq.c vmm/vm_config.c */
/* test-sources: vmm/vm_config_apply.c vmm/vm_config_sections.c lib/ini.c lib/parse.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_hooks.c tests/host/vmm/fake_time.c */
/*
 * A snapshot-disk whose disk has anything on it: headers that lie, with sums
 * that are right, and streams. It is listed, read, saved to and emptied; what
 * was saved is read back.
 */
#include "devices/storage/snapshot_volume.h"
#include "kernel/fast_crc32c.h"
#include "tests/host/backend/world.h"
#include "vmm/checkpoint/place.h"

#include <stdlib.h>
#include <string.h>

#define DISK_SIZE (SNAPSHOT_RING + 96 * 1024)

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

static uint8_t image[DISK_SIZE], data[DISK_SIZE];
static const struct checkpoint_place *place;
static char why[CHECKPOINT_WHY_MAX];

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

static void written(struct block_request *request, int err)
{
	must(!err);
	*(bool *)request->opaque = true;
}

/* All of the disk. */
static void write_image(void)
{
	bool done = false;
	struct block_piece piece = {image, DISK_SIZE};
	struct block_request request = {.op = BLOCK_WRITE,
					.bytes = DISK_SIZE,
					.pieces = &piece,
					.piece_count = 1,
					.done = written,
					.opaque = &done};

	must(block_submit(device_iface(&world_vms[0], "snap", "block"), &request) == BLOCK_PENDING);
	world_work();
	must(done);
}

/* One of a few numbers that are near a bound, or a small one. */
static uint64_t number(struct input *in)
{
	unsigned how = take(in);
	uint64_t n = take(in);

	switch (how % 6) {
	case 0:
		return n;
	case 1:
		return n * SNAPSHOT_UNIT;
	case 2:
		return DISK_SIZE - SNAPSHOT_RING - n % 3 * SNAPSHOT_UNIT;
	case 3:
		return DISK_SIZE - SNAPSHOT_RING + n;
	case 4:
		return UINT64_MAX - n;
	default:
		return n << (how / 6);
	}
}

static void make_header(struct input *in, unsigned slot)
{
	struct snapshot_header h = {.magic = SNAPSHOT_MAGIC, .version = 1, .vm = "vm"};
	unsigned how = take(in);

	if (how % 8 == 0)
		return;
	h.number = number(in);
	h.ring = how & 0x10 ? DISK_SIZE - SNAPSHOT_RING : number(in);
	h.start = number(in);
	h.length = number(in);
	if (how & 0x20 && h.length <= h.ring && h.ring <= DISK_SIZE - SNAPSHOT_RING && h.ring)
		for (uint64_t i = 0; i < h.length; i++) {
			uint8_t byte = image[SNAPSHOT_RING + (h.start % h.ring + i) % h.ring];

			h.sum = fast_crc32c(h.sum, &byte, 1);
		}
	if (how & 0x40)
		((uint8_t *)&h)[take(in) % sizeof(h)] = (uint8_t)take(in);
	h.header_sum = fast_crc32c(0, &h, offsetof(struct snapshot_header, header_sum));
	if (how & 0x80)
		((uint8_t *)&h)[take(in) % sizeof(h)] ^= (uint8_t)take(in);
	memcpy(image + slot * SNAPSHOT_UNIT, &h, sizeof(h));
}

static void read_all(struct input *in)
{
	struct checkpoint_source source;

	if (place->open("a.snap", &source, why)) {
		must(*why);
		return;
	}
	must(source.size && source.size <= DISK_SIZE - SNAPSHOT_RING);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t at = take(in) * 997u % source.size, n = take(in) * 641u;

		source.read(source.opaque, at, data, MIN(n, source.size - at));
	}
	must(!*source.failed);
	place->close(&source, why);
}

static void save(struct input *in)
{
	struct checkpoint_writer w = {0};
	struct checkpoint_source source;
	size_t len = take(in) * 401u + 1;
	int err;

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 31 + i / 253);
	if (place->create("a.snap", "vm", &w, why)) {
		must(*why);
		return;
	}
	err = w.write(w.opaque, data, len);
	err = place->end(&w, err, why);
	if (err) {
		must(*why);
		return;
	}
	must(!place->open("a.snap", &source, why));
	must(source.size == len);
	source.read(source.opaque, 0, image, len);
	must(!memcmp(image, data, len));
	place->close(&source, why);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = {bytes, size};
	const char *name = "disk:a.snap";

	place = checkpoint_place_of(&name);
	world_start();
	must(world_add(0, "snapshot-disk", "snap", "") != NULL);
	must(world_add(0, "ramdisk", "store", "frontend = snap\nsize = 104K\n") != NULL);
	memset(image, 0, sizeof(image));
	for (size_t i = SNAPSHOT_RING; i < sizeof(image); i++)
		image[i] = (uint8_t)(i / 3);
	make_header(&in, 0);
	make_header(&in, 1);
	write_image();
	while (in.left) {
		switch (take(&in) % 4) {
		case 0:
			place->describe("a.snap", why);
			break;
		case 1:
			read_all(&in);
			break;
		case 2:
			save(&in);
			break;
		default:
			if (place->remove("a.snap", why))
				must(*why);
		}
	}
	world_end();
	return 0;
}
