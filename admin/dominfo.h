/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vCPU has used, and what it does. With its VM's life. */
#ifndef ADMIN_DOMINFO_H
#define ADMIN_DOMINFO_H

#include "vmm/vm.h"

#include <stdint.h>

struct vcpu;

/* Exits, and milliseconds of a CPU, since the VM's start. */
uint64_t dominfo_exits(const struct vcpu *vcpu);
uint64_t dominfo_ms(const struct vcpu *vcpu);
/* @state: its VM's. */
const char *dominfo_vcpu_state(const struct vcpu *vcpu, enum vm_state state);

#endif
