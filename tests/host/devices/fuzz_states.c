/* SPDX-License-Identifier: BSD-2-Clause */
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
/* test-sources: tests/host/devices/plug_bars.c tests/host/devices/plug_needs.c */
/* test-sources: tests/host/devices/plug_drive.c */
/* test-sources: tests/host/devices/plug_sockets.c tests/host/devices/plug_machine.c */
/* test-sources: tests/host/fake/kernel/fake_random.c */
/* test-sources: tests/host/vmm/fake.c tests/host/vmm/fake_time.c */
/* test-sources: vmm/device_state.c vmm/device_state_load.c */
/* test-sources: vmm/checkpoint/stream.c lib/crc32c.c kernel/fast_crc32c.c */
/*
 * Streams of any bytes: the first byte is which type of device they are a state
 * of, changed from one that the device would have saved, three bytes a change, or
 * whole; or 255, a whole checkpoint. What is not refused is loaded, and the device
 * is used.
 */
#include "tests/host/devices/plug_drive.h"
#include "tests/host/devices/plug_world.h"
#include "vmm/checkpoint/stream.h"
#include "vmm/device_state.h"
#include "vmm/hook/hook_io.h"
#include "vmm/hook/hook_msr.h"
#include "vmm/vm.h"

#include <stdlib.h>
#include <string.h>

#define STREAM	  255
#define WHOLE	  0x80 /* with the type's number: nothing of a state that was saved */
#define CHANGE	  3    /* bytes: where, and what */
#define TYPES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A front of each host device, too. */
static struct {
	const struct device_type *type;
	const struct plug_need *need;
} types[TYPES_MAX];
static unsigned count;

static void add_type(const struct device_type *type, const struct plug_need *need)
{
	if (count == TYPES_MAX)
		abort();
	types[count].type = type;
	types[count++].need = need;
}

static void find_type(void *opaque, const struct device_type *type)
{
	(void)opaque;
	/* A generic device of plug_needs.c passes through what cannot be saved. */
	if (type->saved && strcmp(type->name, "generic"))
		add_type(type, plug_need_of(type->name));
	for (const struct plug_need *need = plug_fronts; need->type; need++)
		if (!strcmp(type->name, need->type))
			add_type(type, need);
}

static void read_part(void *opaque, uint64_t at, void *buf, size_t len)
{
	memcpy(buf, (const uint8_t *)opaque + at, len);
}

static void load_stream(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct checkpoint_source source = {.size = size, .read = read_part, .opaque = copy};
	char why[CHECKPOINT_WHY_MAX];

	if (size)
		memcpy(copy, data, size);
	if (checkpoint_verify(&source, why) && !why[0])
		abort();
	free(copy);
}

static void use(void)
{
	static const uint16_t ports[] = {0x20,	0x21,  0x40,  0x42,  0x43,  0x60,  0x61,  0x64,
					 0x70,	0x71,  0xa0,  0xa1,  0xe9,  0x3c0, 0x3c9, 0x3d5,
					 0x3f8, 0x3fa, 0x3fd, 0x511, 0x600, 0x620};
	struct vcpu *vcpu = plug_vm->vcpus[0];
	uint64_t value;

	for (uint32_t msr = 0x800; msr < 0x840; msr++)
		(void)!hook_msr_read(vcpu, msr, &value);
	(void)!hook_msr_write(vcpu, 0x80b, 0);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
		hook_io_write(vcpu, ports[i], 1, hook_io_read(vcpu, ports[i], 1) ^ 1);
	plug_drive();
	plug_use();
}

/* A copy of its own size, so that a byte too many is seen. */
static uint8_t *state_of(const struct device *dev, const uint8_t *data, size_t size, bool whole,
			 size_t *len)
{
	const struct device_state *saved = dev->type->saved;
	uint8_t *state;

	*len = whole ? size : device_state_save(saved, dev->state, NULL, 0);
	state = malloc(*len ? *len : 1);
	if (whole && size)
		memcpy(state, data, size);
	if (!whole)
		device_state_save(saved, dev->state, state, *len);
	for (; !whole && size >= CHANGE; data += CHANGE, size -= CHANGE)
		state[(data[0] | (size_t)data[1] << 8) % *len] = data[2];
	return state;
}

static void load_state(unsigned n, const uint8_t *data, size_t size, bool whole)
{
	const struct device_type *type = types[n].type;
	const struct plug_need *need = types[n].need;
	struct device *dev;
	char why[256] = "";
	uint8_t *state;
	size_t len;

	plug_start(need->before, false);
	if (plug_add(type->name, "d", need->keys))
		abort();
	plug_vm->state = VM_RUNNING;
	dev = device_find(plug_vm, "d");
	use();
	state = state_of(dev, data, size, whole, &len);
	if (!device_state_check(type->saved, dev->state, state, len, why, sizeof(why))) {
		if (device_state_load(type->saved, dev->state, state, len, why, sizeof(why)))
			abort();
		if (!device_state_post_load(type->saved, dev->state))
			use();
	} else if (!why[0]) {
		abort();
	}
	free(state);
	plug_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!count) {
		if (plug_init())
			abort();
		device_type_for_each(find_type, NULL);
	}
	if (size && data[0] == STREAM)
		load_stream(data + 1, size - 1);
	else if (size)
		load_state((data[0] & ~WHOLE) % count, data + 1, size - 1, data[0] & WHOLE);
	return 0;
}
