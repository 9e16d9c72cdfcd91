/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files that make a struct vm_config: its text, and what the text says. */
#ifndef VMM_VM_CONFIG_PARSE_H
#define VMM_VM_CONFIG_PARSE_H

#include "vmm/vm_config.h"

/*
 * Appends the sections of @text to *@list; @file is kept by pointer. Errors
 * are logged; the list then holds what came before and is the caller's to free.
 */
int vm_config_parse_sections(const char *file, const char *text, size_t len,
			     struct vm_config_section **list) __must_check;
void vm_config_free_sections(struct vm_config_section *list);

/* Checks the kinds, ids and number of sections, and applies [vm] and [boot]. Logged. */
int vm_config_apply(struct vm_config *config) __must_check;

#endif
