/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TYPES_H
#define VMM_TYPES_H

#include <stdint.h>

/* Guest-physical and guest-virtual (linear) addresses, in bytes. Host-physical:
 * kernel/page_alloc.h. */
typedef uint64_t gpa_t;
typedef uint64_t gva_t;

#define GPA_BITS_MAX 52

/* What an access does, or a mapping allows; combined. */
#define ACCESS_READ  0x1u
#define ACCESS_WRITE 0x2u
#define ACCESS_EXEC  0x4u
/* Of a mapping: what lies there is a device of the machine, not RAM. */
#define ACCESS_UNCACHED 0x8u

#endif
