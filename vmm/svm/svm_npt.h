/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands in nested page tables: the entries of long mode (APM vol. 2, 15.25.5; 5.3). */
#ifndef VMM_SVM_SVM_NPT_H
#define VMM_SVM_SVM_NPT_H

#include "vmm/nested_table.h"

#include <stdbool.h>

/* All that is mapped can be read. @page_1g: the CPU has pages of that size. */
void svm_npt_format(struct nested_format *format, bool page_1g);

#endif
