/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flat kernels: one piece of the file goes to one place
 * (Multiboot Specification 0.6.96, 3.1.3; Multiboot2 Specification 2.0, 3.1.5).
 */
#include "kernel/boot_info.h"
#include "vmm/guest_memory.h"
#include "vmm/load/elf.h"
#include "vmm/vm.h"

#include <errno.h>

#define FLAT_LOWEST 0x100000u

int flat_load(struct vm *vm, const struct boot_module *image, const struct load_flat *flat,
	      uint64_t offset, struct load_extent *extent)
{
	uint64_t before = (uint64_t)flat->header_addr - flat->load_addr;
	uint64_t skip = offset - before;
	uint64_t len, end;
	int err;

	if (flat->header_addr < flat->load_addr || before > offset || flat->load_addr < FLAT_LOWEST)
		goto refuse;
	len = flat->load_end_addr ? (uint64_t)flat->load_end_addr - flat->load_addr
				  : image->size - skip;
	end = MAX((uint64_t)flat->bss_end_addr, flat->load_addr + len);
	if (len > image->size - skip ||
	    !guest_is_ram(vm->memory, flat->load_addr, end - flat->load_addr))
		goto refuse;
	extent->end = end;
	err = guest_write(vm, flat->load_addr, (const uint8_t *)image->data + skip, len);
	if (!err)
		err = guest_fill(vm, flat->load_addr + len, 0, end - flat->load_addr - len);
	return err;

refuse:
	vm_log(vm, LOG_ERROR,
	       "kernel %s: the addresses in its Multiboot header, 0x%x to 0x%x, do not fit its "
	       "file "
	       "or the VM's RAM from 1 MiB up (%llu MiB)",
	       image->name, flat->load_addr, MAX(flat->load_end_addr, flat->bss_end_addr),
	       (unsigned long long)(vm->memory->size >> 20));
	return -ENOEXEC;
}
