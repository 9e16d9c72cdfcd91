/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested page tables: guest-physical to host-physical, in the format of long
 * mode's four levels (APM vol. 2, 15.25.5; 5.3). Each mapping uses the largest
 * pages that fit.
 *
 * CPUs walk and cache these tables while they are changed. An entry is written
 * at once; a table that is taken out stays, empty, until no vCPU can have it
 * cached: it is kept with the epoch in which it was taken out, and freed when
 * every vCPU has flushed in a later one.
 */
#ifndef VMM_SVM_SVM_NPT_H
#define VMM_SVM_SVM_NPT_H

#include "kernel/page_alloc.h"
#include "lib/compiler.h"
#include "vmm/types.h"

#include <stdbool.h>
#include <stdint.h>

/* What four levels translate. */
#define SVM_NPT_GPA_END (UINT64_C(1) << 48)

/* What stands in a table that was taken out. Both are even: a stale walk finds nothing present. */
struct svm_npt_retired {
	struct svm_npt_retired *next;
	uint64_t epoch2; /* twice the epoch */
};

struct svm_npt {
	uint64_t *root;
	struct page_owner *owner; /* pays for the tables */
	bool page_1g;
	uint64_t epoch; /* counts changes; read by other CPUs */
	struct svm_npt_retired *retired;
};

/* -ENOMEM. */
int svm_npt_init(struct svm_npt *npt, struct page_owner *owner, bool page_1g) __must_check;
/* No vCPU uses them any more. */
void svm_npt_destroy(struct svm_npt *npt);
hpa_t svm_npt_root(const struct svm_npt *npt);

/*
 * [@gpa, @gpa + @size), whole pages below SVM_NPT_GPA_END, to @hpa with @access
 * (not 0). -EINVAL, or -ENOMEM with a part mapped.
 */
int svm_npt_map(struct svm_npt *npt, gpa_t gpa, hpa_t hpa, uint64_t size,
		unsigned access) __must_check;
/* -EINVAL, or -ENOMEM when a large page had to be split and there was no page for the table. */
int svm_npt_unmap(struct svm_npt *npt, gpa_t gpa, uint64_t size) __must_check;
/* Frees what was taken out before epoch @flushed. */
void svm_npt_reap(struct svm_npt *npt, uint64_t flushed);

/* The entry that maps @gpa, 0 if none; its page's size to @size. For dumps and tests. */
uint64_t svm_npt_lookup(const struct svm_npt *npt, gpa_t gpa, uint64_t *size);

#endif
