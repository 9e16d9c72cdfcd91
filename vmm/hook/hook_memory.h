/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest-physical memory, to 52 bits, page and sub-page. A full hook takes
 * reads and writes; a write hook leaves reads at full speed on what is mapped
 * there; mapped pages are a device's own memory, reached without an exit.
 */
#ifndef VMM_HOOK_HOOK_MEMORY_H
#define VMM_HOOK_HOOK_MEMORY_H

#include "vmm/hook/hook.h"

enum hook_memory_mode {
	HOOK_MEMORY_FULL,  /* every access */
	HOOK_MEMORY_WRITE, /* writes; reads go to what is mapped there */
	/* None: whole pages where there is no RAM, contiguous for us, at hook.opaque; hook.ops is
	   hook_mapped_ops. */
	HOOK_MEMORY_MAPPED,
};

/* What an instruction that is done for the guest does to mapped pages. */
extern const struct hook_ops hook_mapped_ops;

int hook_memory_add(struct vm *vm, const struct hook *hook,
		    enum hook_memory_mode mode) __must_check;
void hook_memory_remove(struct vm *vm, const struct hook *hook);

/*
 * Whether a page of [@gpa, @gpa + @len) is trapped for reads (or, with @write,
 * for writes) by a hook, so that RAM below it must not be reached directly.
 */
bool hook_memory_covers(const struct range_map *map, gpa_t gpa, uint64_t len, bool write);

/* Whether [@gpa, @gpa + @size) is neither hooked nor RAM. Until the next quiescent point. */
bool hook_memory_is_rest(const struct vm *vm, gpa_t gpa, uint64_t size);

/*
 * One access of @width (1, 2, 4, 8) bytes at @gpa. Split where it crosses
 * owners; bytes that nobody hooked are RAM's, and where there is none either,
 * reads give all ones and writes go nowhere.
 */
uint64_t hook_memory_read(struct vcpu *vcpu, gpa_t gpa, unsigned width);
void hook_memory_write(struct vcpu *vcpu, gpa_t gpa, unsigned width, uint64_t value);

#endif
