/* SPDX-License-Identifier: BSD-2-Clause */
/* A paused VM of two vCPUs, 64 KiB of RAM at 0 and at FFFF800000000000h, for gdb's protocol. */
#ifndef TESTS_HOST_ADMIN_GDB_WORLD_H
#define TESTS_HOST_ADMIN_GDB_WORLD_H

#include "admin/gdb/gdb.h"

#define WORLD_RAM  65536
#define WORLD_HIGH UINT64_C(0xffff800000000000)

extern struct gdb world_gdb;
extern struct vcpu world_vcpus[2];
extern uint64_t world_regs[2][VCPU_REGS];
extern uint8_t world_ram[WORLD_RAM];
extern bool world_long64;

void world_reset(void);

#endif
