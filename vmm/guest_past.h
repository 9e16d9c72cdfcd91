/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest's memory was at one moment, while the guest runs on: a checkpoint is written from
 * it. Copy-on-write, by granules of 2 MiB. At the moment, when the VM stands still, all of them
 * lose the right to be written; who is about to write to one first has it copied and made writable
 * again. The copies' room is taken before the moment: afterwards nothing is allocated.
 *
 * Who writes to a guest's memory, and how each comes here:
 *
 *  - the guest, and its CPU for it (accessed and dirty bits, the frame of an event): a nested
 *    fault, vcpu_emulate_memory(). What it wrote is not emulated: it is done again.
 *  - the emulator (operands, accessed and dirty bits, the task switch's segments):
 *    vcpu_emulate_ram() with @write, within one exit, and a vCPU is in none at the moment.
 *  - trapped pages of RAM that some hook has a part of: hook_memory_write().
 *  - loaders at a reset, pvclock's pages, fw_cfg's DMA, tables of ACPI and MP, the debugger:
 *    guest_write(), guest_fill().
 *  - host devices: host_device_dma_write(), and host_device_dma_map() with @write. What they hold
 *    of it beyond a call, buffers of virtio's requests and its rings, is given back before the
 *    moment by device_state.pre_save(), and mapped anew behind post_save().
 *  - passed-through devices by themselves: a VM that has one is not saved, and none comes
 *    meanwhile (vm_saving_give_up()).
 *  - who maps pages of it with other rights, for a hook: guest_memory_set_access().
 *  - a restore, into a VM that was just made, which is not saved meanwhile.
 *
 * All of them ask for guest_memory_ptr_to_write(), which looks at one pointer when there is no
 * checkpoint. What a device maps into the guest (guest_memory_map_device()) is no RAM: it is in the
 * device's record, or its pages (device_pages.freeze()).
 */
#ifndef VMM_GUEST_PAST_H
#define VMM_GUEST_PAST_H

#include "lib/compiler.h"

#include <stdint.h>

struct vm;

/* Takes the room. -ENOMEM. Task, with the VM's life; before the moment. */
int guest_past_prepare(struct vm *vm) __must_check;
/* This is the moment: no vCPU is in its loop, no device writes. Does not wait, nor yield. */
void guest_past_begin(struct vm *vm);
/*
 * What was in granule @index, which has RAM, is at the address returned until guest_past_close(),
 * before which the caller neither yields nor writes to the guest's memory: others may spin for it.
 */
const uint8_t *guest_past_open(struct vm *vm, uint64_t index);
void guest_past_close(struct vm *vm, uint64_t index);
/* Nobody asks for it any more: its room is given back, and the guest may write to it. */
void guest_past_forget(struct vm *vm, uint64_t index);
/* It is over, or came to nothing after guest_past_prepare(). Task, no lock held: waits. */
void guest_past_end(struct vm *vm);

#endif
