/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large constant tables, the disassembler's, are in the image packed, so that
 * it is small. linker.ld gives them addresses of their own and leaves them out;
 * mk/image.mk packs them (LZ4) and puts them in again as bytes.
 */
#ifndef KERNEL_PACKED_H
#define KERNEL_PACKED_H

/* Boot CPU, once there is a page allocator, before anything reads them. -ENOMEM. */
int __attribute__((warn_unused_result)) packed_init(void);

#endif
