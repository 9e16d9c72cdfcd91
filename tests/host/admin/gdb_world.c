/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/admin/gdb_world.h"

#include "vmm/emulate/vcpu_emulate.h"
#include "vmm/emulate/x86.h"
#include "vmm/guest_memory.h"
#include "vmm/hv_ops.h"

#include <errno.h>
#include <string.h>

struct gdb world_gdb;
struct vcpu world_vcpus[2];
uint64_t world_regs[2][VCPU_REGS];
uint8_t world_ram[WORLD_RAM];
bool world_long64;
static struct vm vm = {.name = "v", .vcpu_count = 2};

static uint64_t get_reg(struct vcpu *vcpu, enum vcpu_reg reg)
{
	return world_regs[vcpu->index][reg];
}

static void set_reg(struct vcpu *vcpu, enum vcpu_reg reg, uint64_t value)
{
	world_regs[vcpu->index][reg] = value;
}

static void get_seg(struct vcpu *vcpu, enum vcpu_seg seg, struct vcpu_segment *value)
{
	*value = (struct vcpu_segment){.selector = (uint16_t)(8 * seg + vcpu->index),
				       .attrib = seg == SEG_CS && world_long64 ? SEG_ATTR_L : 0,
				       .base = seg * UINT64_C(0x1000)};
}

static const struct hv_ops ops = {.get_reg = get_reg, .set_reg = set_reg, .get_seg = get_seg};
const struct hv_ops *hv_ops = &ops;

uint64_t vcpu_gpr(struct vcpu *vcpu, unsigned n)
{
	return vcpu->gpr[n];
}

void vcpu_set_gpr(struct vcpu *vcpu, unsigned n, uint64_t value)
{
	vcpu->gpr[n] = value;
}

bool vcpu_emulate_address(struct vcpu *vcpu, uint64_t linear, uint64_t *gpa)
{
	(void)vcpu;
	*gpa = linear >= WORLD_HIGH ? linear - WORLD_HIGH : linear;
	return *gpa < 2 * WORLD_RAM;
}

int guest_read(struct vm *v, gpa_t gpa, void *buf, size_t len)
{
	(void)v;
	if (gpa > WORLD_RAM || len > WORLD_RAM - gpa)
		return -EFAULT;
	memcpy(buf, world_ram + gpa, len);
	return 0;
}

int guest_write(struct vm *v, gpa_t gpa, const void *buf, size_t len)
{
	(void)v;
	if (gpa > WORLD_RAM || len > WORLD_RAM - gpa)
		return -EFAULT;
	memcpy(world_ram + gpa, buf, len);
	return 0;
}

void world_reset(void)
{
	memset(&world_gdb, 0, sizeof(world_gdb));
	memset(world_vcpus, 0, sizeof(world_vcpus));
	memset(world_regs, 0, sizeof(world_regs));
	for (size_t i = 0; i < WORLD_RAM; i++)
		world_ram[i] = (uint8_t)i;
	for (uint32_t i = 0; i < 2; i++) {
		world_vcpus[i].index = i;
		world_vcpus[i].vm = &vm;
		vm.vcpus[i] = &world_vcpus[i];
		world_regs[i][VCPU_EFER] = X86_EFER_LMA;
		world_regs[i][VCPU_RFLAGS] = 2;
	}
	world_long64 = true;
	world_gdb.vm = &vm;
	world_gdb.debug.exception = gdb_exception;
}
