/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/vmx/check_world.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/msr.h"

#include <string.h>

uint64_t world_field[WORLD_FIELDS];
uint8_t world_memory[0x10000];
struct vmx_machine world_machine;
struct vmx_check_input world_input;

static uint64_t world_read(void *opaque, uint32_t field)
{
	(void)opaque;
	return world_field[field];
}

static bool world_read_memory(void *opaque, uint64_t phys, void *data, size_t size)
{
	(void)opaque;
	if (phys > sizeof(world_memory) - size)
		return false;
	memcpy(data, world_memory + phys, size);
	return true;
}

void world_put(uint64_t at, uint64_t value)
{
	memcpy(world_memory + at, &value, sizeof(value));
}

static const struct vmx_machine everything = {
	.has_vmx = true,
	.basic = 0x12,
	.misc = 4 << 16 | VMX_MISC_ACTIVITY_HLT | VMX_MISC_ACTIVITY_SHUTDOWN |
		VMX_MISC_ACTIVITY_WAIT_SIPI,
	.ept_vpid = VMX_EPT_WALK_4 | VMX_EPT_TYPE_WB,
	.cr0_fixed0 = CR0_PE | CR0_NE | CR0_PG,
	.cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = CR4_VMXE,
	.cr4_fixed1 = 0xf76fff,
	.pin = {.allowed0 = 0x16, .allowed1 = 0xff},
	.proc = {.allowed0 = 0x04006172, .allowed1 = 0xfffffffe},
	.proc2 = {.allowed0 = 0, .allowed1 = 0xdfffffff},
	.exit = {.allowed0 = 0x36dfb, .allowed1 = 0x7fffffff},
	.entry = {.allowed0 = 0x11fb, .allowed1 = 0x7fffff},
	.phys_bits = 40,
	.cr4_valid = 0xf76fff,
	.efer_valid = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE,
};

static void world_valid_controls(void)
{
	world_set(VMCS_PIN_CONTROLS, 0x16);
	world_set(VMCS_PROC_CONTROLS, 0x04006172 | VMX_PROC_SECONDARY);
	world_set(VMCS_PROC2_CONTROLS, VMX_PROC2_EPT | VMX_PROC2_UNRESTRICTED_GUEST);
	world_set(VMCS_EXIT_CONTROLS, 0x36dfb | VMX_EXIT_HOST_64);
	world_set(VMCS_ENTRY_CONTROLS,
		  0x11fb | VMX_ENTRY_LOAD_DEBUG | VMX_ENTRY_IA32E_GUEST | VMX_ENTRY_LOAD_EFER);
	world_set(VMCS_VPID, 1);
	world_set(VMCS_EPT_POINTER, 0x1000 | 3 << 3 | 6);
	world_set(VMCS_LINK_POINTER, UINT64_MAX);
	world_set(VMCS_ENTRY_INSTRUCTION_LENGTH, 1);
}

static void world_valid_host(void)
{
	world_set(VMCS_HOST_CR0, CR0_PE | CR0_NE | CR0_PG | CR0_WP);
	world_set(VMCS_HOST_CR4, CR4_PAE | CR4_VMXE);
	world_set(VMCS_HOST_CS_SELECTOR, 8);
	world_set(VMCS_HOST_TR_SELECTOR, 16);
	world_set(VMCS_HOST_SS_SELECTOR, 24);
	world_set(VMCS_HOST_EFER, EFER_LME | EFER_LMA);
	world_set(VMCS_HOST_PAT, 0x0007040600070406);
	world_set(VMCS_HOST_RIP, 0x1000);
}

static void world_valid_guest(void)
{
	world_set(VMCS_GUEST_CR0, CR0_PE | CR0_NE | CR0_PG | CR0_WP);
	world_set(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
	world_set(VMCS_GUEST_EFER, EFER_LME | EFER_LMA);
	world_set(VMCS_GUEST_PAT, 0x0007040600070406);
	world_set(VMCS_GUEST_RFLAGS, RFLAGS_FIXED);
	world_set(VMCS_GUEST_DR7, 0x400);
	for (unsigned i = 0; i < 6; i++) {
		world_set(VMCS_GUEST_ES_SELECTOR + 2 * i, 0x18);
		world_set(VMCS_GUEST_ES_LIMIT + 2 * i, 0xffffffff);
		world_set(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i, 0xc093);
	}
	world_set(VMCS_GUEST_CS_SELECTOR, 0x10);
	world_set(VMCS_GUEST_CS_ACCESS_RIGHTS, 0xa09b);
	world_set(VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x10000);
	world_set(VMCS_GUEST_TR_SELECTOR, 0x20);
	world_set(VMCS_GUEST_TR_LIMIT, 0x67);
	world_set(VMCS_GUEST_TR_ACCESS_RIGHTS, 0x8b);
}

void world_valid(void)
{
	memset(world_field, 0, sizeof(world_field));
	memset(world_memory, 0, sizeof(world_memory));
	world_machine = everything;
	world_input = (struct vmx_check_input){
		.machine = &world_machine,
		.vmcs = WORLD_VMCS,
		.read = world_read,
		.memory = world_read_memory,
	};
	world_put(WORLD_VMCS, 0x12);
	world_valid_controls();
	world_valid_host();
	world_valid_guest();
}

void world_legacy(void)
{
	world_off(VMCS_ENTRY_CONTROLS, VMX_ENTRY_IA32E_GUEST);
	world_set(VMCS_GUEST_EFER, 0);
	world_set(VMCS_GUEST_CS_ACCESS_RIGHTS, 0xc09b);
}

void world_v86(void)
{
	world_legacy();
	world_on(VMCS_GUEST_RFLAGS, RFLAGS_VM);
	for (unsigned i = 0; i < 6; i++) {
		world_set(VMCS_GUEST_ES_SELECTOR + 2 * i, 0x1230);
		world_set(VMCS_GUEST_ES_BASE + 2 * i, 0x12300);
		world_set(VMCS_GUEST_ES_LIMIT + 2 * i, 0xffff);
		world_set(VMCS_GUEST_ES_ACCESS_RIGHTS + 2 * i, 0xf3);
	}
}
