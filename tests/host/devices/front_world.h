/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest with PCI's real bus and front-end in the world of plug_world.h, and what reaches it. */
#ifndef TESTS_HOST_DEVICES_FRONT_WORLD_H
#define TESTS_HOST_DEVICES_FRONT_WORLD_H

#include "tests/host/devices/plug_world.h"

#include <stdbool.h>
#include <stdint.h>

#define FRONT_NOBODY UINT32_MAX

/* A VM with a bus, pci0, that runs, and its end: nothing may be left. */
void front_start(void);
void front_end(void);
/* Adds front @id with @keys, a line each; 0 or its error. */
int front_add(const char *id, const char *keys);
/* Power-on: the bus gives BARs their addresses. */
void front_reset(void);
/* Adds one with @keys and resets; its address. The test ends where that fails. */
unsigned front_make(const char *keys);

/* The guest. @function: bus and devfn; by mechanism #1 below 256, by ECAM beyond. */
uint32_t front_config(unsigned function, unsigned offset, unsigned width);
void front_config_out(unsigned function, unsigned offset, unsigned width, uint32_t value);
/* The first function with this vendor and device, or FRONT_NOBODY. */
unsigned front_find(uint32_t id);
unsigned front_cap(unsigned function, uint8_t id);
uint64_t front_bar(unsigned function, unsigned bar);
void front_set_bar(unsigned function, unsigned bar, uint64_t address);
void front_command(unsigned function, uint32_t command);

uint32_t front_in(uint64_t port, unsigned width);
void front_out(uint64_t port, unsigned width, uint32_t value);
uint64_t front_read(uint64_t gpa, unsigned width);
void front_write(uint64_t gpa, unsigned width, uint64_t value);

/* The interrupt line that the function's pin is on, its level, and the end of an interrupt. */
unsigned front_gsi(unsigned function);
bool front_line(unsigned gsi);
/* Messages so far, and the last. */
extern unsigned front_messages;
extern uint64_t front_message_address;
extern uint32_t front_message_data;

#endif
