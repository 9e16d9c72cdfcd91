/* SPDX-License-Identifier: BSD-2-Clause */
/* A config as text again, for who makes the same VM elsewhere. */
#ifndef VMM_VM_CONFIG_TEXT_H
#define VMM_VM_CONFIG_TEXT_H

#include "lib/compiler.h"
#include "vmm/vm_config.h"

#include <stddef.h>

struct vm;

/*
 * A [device "@id"] of type @type with @section's keys (NULL: none), allocated;
 * NULL: no memory.
 */
char *vm_config_device_text(const char *type, const char *id,
			    const struct vm_config_section *section) __must_check;
/*
 * What makes a VM with the devices that @vm has now, whatever came and went: a config's text but
 * for its first line, which has the name. Returns how many bytes it takes, as snprintf().
 */
size_t vm_config_vm_text(struct vm *vm, char *buf, size_t size);

#endif
