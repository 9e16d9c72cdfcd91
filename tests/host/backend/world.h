/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two VMs with nothing but the real device manager, work items that run when a
 * test says so or somebody yields, and pages that are counted. What is under
 * it is tests/host/vmm/fake.h.
 */
#ifndef TESTS_HOST_BACKEND_WORLD_H
#define TESTS_HOST_BACKEND_WORLD_H

#include "tests/host/vmm/fake.h"
#include "vmm/device.h"

extern struct vm world_vms[2];
/* 4 KiB pages of page_alloc() that are out. */
extern unsigned world_pages;
/* That many more succeed; negative: all. */
extern long world_pages_left;
/* In each page_alloc(), where there is something to be done meanwhile. */
extern void (*world_in_page_alloc)(void);

void world_start(void);
/* Destroys what there still is, runs what is queued, and checks that nothing is left. */
void world_end(void);

/* [device "@id"] with @keys, "key = value\n" each; NULL: refused. */
struct device *world_add(unsigned vm, const char *type, const char *id, const char *keys);
/* As world_add(), which must fail with a log that has @message. */
void world_refused(unsigned vm, const char *type, const char *id, const char *keys,
		   const char *message);
void world_del(unsigned vm, const char *id);

/* The oldest work item; false: there was none. */
bool world_work_one(void);
/* All, also what these queue; how many. */
unsigned world_work(void);

#endif
