/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why VMRUN refused: the rules of the manual, checked in software. Pure.
 */
#ifndef VMM_SVM_SVM_EXPLAIN_H
#define VMM_SVM_SVM_EXPLAIN_H

#include "vmm/svm/svm_cpu.h"
#include "vmm/svm/svm_vmcb.h"

#include <stdint.h>

/*
 * What VMRUN checks, as it was before it: QEMU's failed VMRUN writes the
 * host's state into the VMCB.
 */
struct svm_entry_state {
	uint64_t cr0, cr3, cr4, efer, dr6, dr7, pat;
	uint16_t cs_attrib;
	uint8_t tlb_control;
	uint64_t event_inj;
};
void svm_explain_capture(const struct vmcb *vmcb, struct svm_entry_state *state);

struct svm_rule {
	const char *field;
	bool broken;
	uint64_t value;
	const char *text;
	const char *section; /* of APM vol. 2 */
};
typedef void (*svm_rule_fn)(void *opaque, const struct svm_rule *rule);

/*
 * Calls @fn for each rule there is, whether @state and @control break it or not; returns how many
 * are broken.
 */
unsigned svm_explain_check(const struct svm_entry_state *state, const struct vmcb_control *control,
			   const struct svm_machine *machine, svm_rule_fn fn, void *opaque);

#endif
