/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/guest_past.c */
/* test-sources: devices vmm/device.c vmm/device_types.c vmm/device_keys.c vmm/device_plan.c */
/* test-sources: vmm/checkpoint/place.c */
/* test-sources: vmm/vm_config_text.c */
/* test-sources: vmm/device_key_value.c vmm/device_defer.c */
/* test-sources: vmm/device_resources.c vmm/device_iface.c vmm/device_irq.c vmm/device_timer.c */
/* test-sources: vmm/device_dma.c */
/* test-sources: vmm/frontend.c vmm/char_frontend.c vmm/console_frontend.c vmm/irq.c */
/* test-sources: vmm/block_frontend.c vmm/net_frontend.c */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c vmm/vm_config_sections.c */
/* test-sources: vmm/hook/hook.c vmm/hook/hook_call.c vmm/hook/hook_cpuid.c vmm/hook/hook_io.c */
/* test-sources: vmm/hook/hook_memory.c vmm/hook/hook_msr.c vmm/hook/hook_range.c */
/* test-sources: vmm/hook/hook_table.c vmm/hook/hook_mapped.c vmm/vm_console.c vmm/load/e820.c */
/* test-sources: lib/range_map.c lib/ini.c lib/parse.c lib/ring.c lib/date.c kernel/time.c */
/* test-sources: tests/host/fake/kernel/fake_panic.c tests/host/devices/plug_world.c */
/* test-sources: tests/host/fake/kernel/fake_work.c */
/* test-sources: tests/host/fake/drivers/fake_serial_port.c */
/* test-sources: tests/host/devices/plug_bars.c */
/* test-sources: tests/host/devices/plug_sockets.c tests/host/devices/plug_machine.c */
/* test-sources: tests/host/fake/kernel/fake_random.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/* test-sources: vmm/device_state.c vmm/device_state_load.c */
/* test-sources: vmm/checkpoint/stream.c vmm/checkpoint/save.c vmm/checkpoint/restore.c */
/* test-sources: vmm/checkpoint/machine.c vmm/checkpoint/memory.c vmm/checkpoint/vcpu_state.c */
/* test-sources: lib/crc32c.c kernel/fast_crc32c.c tests/host/devices/ckpt_world.c */
/* fuzz-runs: 3000 */
/*
 * Whole checkpoints: one that was saved, of a VM with some devices, changed as the input says, with
 * records' numbers, lengths and sums made right again, so that what is behind them is reached; or,
 * behind a first byte of 255, the input as it is. What is refused leaves no VM and nothing of one;
 * what is not has made one, which is used.
 */
#include "kernel/fast_crc32c.h"
#include "tests/host/devices/ckpt_world.h"
#include "tests/host/devices/plug_world.h"
#include "vmm/checkpoint/stream.h"
#include "vmm/device_state.h"
#include "vmm/hook/hook_io.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <stdlib.h>
#include <string.h>

#define AS_IT_IS    255
#define RECORDS_MAX 64
#define GROWS	    2048 /* bytes of all of an input */
#define BOARD                                                                  \
	DEVICES "[device \"rtc\"]\ntype = rtc\n[device \"ps2\"]\ntype = ps2\n" \
		"[device \"f\"]\ntype = socket\n"                              \
		"[device \"disk\"]\ntype = ramdisk\nfrontend = f\nsize = 5M\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is done to a record: a byte of its number, one of which record, two of where; and more. */
enum change { SET, FLIP, CUT, INSERT, DROP, AGAIN, KIND, DAMAGE, SHORTEN, CHANGES };

struct record {
	unsigned kind;
	size_t len;
	uint8_t *data; /* GROWS more */
	bool damaged;
};

static struct record saved[RECORDS_MAX], now[RECORDS_MAX];
static unsigned saved_count, count;
static uint8_t *base; /* the stream that was saved */

struct input {
	const uint8_t *data;
	size_t left;
};

static size_t take(struct input *in, unsigned bytes)
{
	size_t value = 0;

	for (unsigned i = 0; i<bytes; i++, in->data += in->left> 0, in->left -= in->left > 0)
		value |= (in->left ? *in->data : 0u) << 8 * i;
	return value;
}

static struct record copy_of(const struct record *r)
{
	struct record copy = *r;

	copy.data = malloc(r->len + GROWS);
	memcpy(copy.data, r->data, r->len);
	return copy;
}

static void take_apart(void)
{
	struct checkpoint_source source = {
		.size = ckpt_stream_len, .read = ckpt_read_part, .opaque = base};
	struct checkpoint_record r = {.at = 0};

	while (checkpoint_next(&source, &r)) {
		if (saved_count == RECORDS_MAX / 2)
			abort();
		saved[saved_count++] =
			(struct record){.kind = r.kind, .len = r.length, .data = base + r.at};
	}
}

static void insert(struct record *r, size_t at, struct input *in)
{
	size_t n = MIN(take(in, 1), in->left);

	memmove(r->data + at + n, r->data + at, r->len - at);
	memcpy(r->data + at, in->data, n);
	r->len += n;
	in->data += n;
	in->left -= n;
}

static void cut(struct record *r, size_t at, size_t n)
{
	n = MIN(n, r->len - at);
	memmove(r->data + at, r->data + at + n, r->len - at - n);
	r->len -= n;
}

/* Records: one goes, or comes once more. */
static void drop(unsigned n)
{
	free(now[n].data);
	memmove(&now[n], &now[n + 1], (--count - n) * sizeof(now[0]));
}

static void again(unsigned n)
{
	if (count == RECORDS_MAX)
		return;
	memmove(&now[n + 1], &now[n], (count++ - n) * sizeof(now[0]));
	now[n + 1] = copy_of(&now[n]);
}

/* @cut: how much of the stream's end is left out. */
static void change(struct input *in, size_t *shorter)
{
	enum change what = take(in, 1) % CHANGES;
	unsigned n = (unsigned)take(in, 1) % count;
	struct record *r = &now[n];
	size_t at = take(in, 2) % (r->len + 1);

	if (what == SET && at < r->len)
		r->data[at] = (uint8_t)take(in, 1);
	else if (what == FLIP && at < r->len)
		r->data[at] ^= (uint8_t)(1u << take(in, 1) % 8);
	else if (what == CUT)
		cut(r, at, take(in, 1));
	else if (what == INSERT)
		insert(r, at, in);
	else if (what == DROP && count > 1)
		drop(n);
	else if (what == AGAIN)
		again(n);
	else if (what == KIND)
		r->kind = (unsigned)take(in, 1) % CHECKPOINT_KINDS;
	else if (what == DAMAGE)
		r->damaged = true;
	else if (what == SHORTEN)
		*shorter = take(in, 2);
}

struct output {
	uint8_t *data;
	size_t len;
};

static int put(void *opaque, const void *data, size_t len)
{
	struct output *out = opaque;

	out->data = realloc(out->data, out->len + len);
	memcpy(out->data + out->len, data, len);
	out->len += len;
	return 0;
}

static void write_record(struct checkpoint_writer *w, const struct record *r)
{
	if (checkpoint_record_begin(w, r->kind, r->len) || checkpoint_put(w, r->data, r->len))
		abort();
	w->crc ^= r->damaged;
	if (checkpoint_record_end(w))
		abort();
}

static struct output put_together(struct input *in)
{
	struct output out = {0};
	struct checkpoint_writer w = {.write = put, .opaque = &out};
	size_t shorter = 0;

	for (count = 0; count < saved_count; count++)
		now[count] = copy_of(&saved[count]);
	while (in->left)
		change(in, &shorter);
	if (checkpoint_write_header(&w))
		abort();
	for (unsigned i = 0; i < count; i++) {
		write_record(&w, &now[i]);
		free(now[i].data);
	}
	if (checkpoint_write_end(&w))
		abort();
	out.len -= MIN(shorter, out.len);
	return out;
}

/* Of its own size, so that a byte too many is seen. */
static void read_output(void *opaque, uint64_t at, void *buf, size_t len)
{
	const struct output *out = opaque;

	if (at > out->len || len > out->len - at)
		abort();
	memcpy(buf, out->data + at, len);
}

static void use(void)
{
	static const uint16_t ports[] = {0x20, 0x21, 0x40, 0x43,  0x60,
					 0x64, 0x70, 0x71, 0x2f8, 0x2fd};

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		hook_io_write(plug_vm->vcpus[0], ports[i], 1,
			      hook_io_read(plug_vm->vcpus[0], ports[i], 1) ^ 1);
	plug_use();
}

static void load(struct output out)
{
	uint8_t *exact = malloc(out.len + !out.len);
	struct checkpoint_source source = {.read = read_output, .opaque = &out, .size = out.len};
	size_t objects = plug_objects();

	memcpy(exact, out.data, out.len);
	free(out.data);
	out.data = exact;
	memset(ckpt_why, 0, sizeof(ckpt_why));
	if (!ckpt_restore_from(&source, BOARD, NULL)) {
		if (ckpt_set_vcpus != 2)
			abort();
		use();
		vm_config_free(ckpt_given);
		plug_end();
	} else if (!ckpt_why[0]) {
		abort();
	}
	if (plug_objects() != objects)
		abort();
	free(out.data);
}

static void save(void)
{
	if (ckpt_init())
		abort();
	ckpt_any_vcpu = true;
	ckpt_start(BOARD);
	plug_vm->state = VM_RUNNING;
	ckpt_poke(0x1000, 1);
	ckpt_poke(0x6000, 3);
	ckpt_poke(0x1ff000, 4);
	memset(device_find(plug_vm, "disk")
		       ->type->saved->pages->write(device_find(plug_vm, "disk")->state, 0x1000),
	       7, 4096);
	if (ckpt_save())
		abort();
	plug_end();
	base = malloc(ckpt_stream_len);
	memcpy(base, ckpt_stream, ckpt_stream_len);
	take_apart();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct output whole = {0};

	if (!base)
		save();
	if (!size || size > GROWS)
		return 0;
	if (*data != AS_IT_IS)
		load(put_together(&in));
	else if (!put(&whole, data + 1, size - 1))
		load(whole);
	return 0;
}
