/* SPDX-License-Identifier: BSD-2-Clause */
/* From a segment and an offset to a linear address, with the checks on the way. */
#ifndef VMM_EMULATE_LINEAR_H
#define VMM_EMULATE_LINEAR_H

#include "vmm/emulate/emulate.h"

/*
 * The linear address of @width bytes (a power of two) at @seg:@offset for
 * @access (GVA_READ or GVA_WRITE): segment type and limit or canonical form,
 * then alignment where the guest checks it. 0, or -EFAULT with ctx->fault.
 */
int __must_check linear_address(struct emulate_ctx *ctx, enum emulate_seg seg, uint64_t offset,
				unsigned int width, unsigned int access, uint64_t *linear);

#endif
