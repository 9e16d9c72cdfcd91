/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a task switch reads and writes in the guest's memory, and the segments
 * of the new task. All return 0; -EFAULT with the fault in ctx; -EAGAIN as
 * gva_translate(); -EIO: not RAM, and @bad is where.
 */
#ifndef VMM_EMULATE_TASK_SEGMENTS_H
#define VMM_EMULATE_TASK_SEGMENTS_H

#include "vmm/emulate/emulate.h"
#include "vmm/vcpu.h"

#define TASK_DESCRIPTOR_HIGH 4 /* offset of the half with type and P */
#define TASK_TSS_BUSY	     0x2u
#define TASK_TSS_32	     0x8u

struct task {
	struct vcpu *vcpu;
	struct emulate_ctx ctx;
	bool external; /* an event that no instruction asked for: faults say so */
	uint64_t bad;
};

/* @access: GVA_WRITE, GVA_SYSTEM. */
int __must_check task_read(struct task *t, uint64_t linear, unsigned width, uint64_t *value);
int __must_check task_write(struct task *t, uint64_t linear, unsigned width, unsigned access,
			    uint64_t value);
/* Whether the CPU may write @len bytes, of two pages at most. */
int __must_check task_probe(struct task *t, uint64_t linear, unsigned len);

/* A fault whose error code is @selector. Returns -EFAULT. */
int task_raise(struct task *t, unsigned vector, uint16_t selector);

/* The descriptor of @selector and where it is; @vector: beyond its table's end. */
int __must_check task_find(struct task *t, uint16_t selector, unsigned vector, uint64_t *linear,
			   struct vcpu_segment *segment);

/* LDTR and the six of the new task, which RFLAGS are loaded for. @selectors: by enum vcpu_seg. */
int __must_check task_load_segments(struct task *t, const uint16_t *selectors, uint16_t ldt);

#endif
