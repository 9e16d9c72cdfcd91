/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two permission maps: a set bit intercepts. Ports: one bit each, 64 Ki
 * and three more for accesses that run over the end (APM vol. 2, 15.10.1).
 * MSRs: two bits each, read and write, in three ranges of 8 Ki MSRs (15.11);
 * those outside of the ranges are always intercepted.
 */
#ifndef VMM_SVM_SVM_PERMISSION_H
#define VMM_SVM_SVM_PERMISSION_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define SVM_IOPM_SIZE	3 * 4096u
#define SVM_IOPM_ORDER	2
#define SVM_MSRPM_SIZE	2 * 4096u
#define SVM_MSRPM_ORDER 1

/* All ports; all MSRs but those of vmm/msr_direct.h. */
void svm_permission_init(uint8_t *iopm, uint8_t *msrpm);
void svm_permission_io(uint8_t *iopm, uint16_t port, uint32_t count, bool on);
/* -EINVAL: the MSR is in no range and access to it cannot be given. */
int svm_permission_msr(uint8_t *msrpm, uint32_t index, bool read, bool write) __must_check;

#endif
