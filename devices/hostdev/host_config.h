/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration space of a host device that is made in software: what the
 * front finds in HOST_REGION_CONFIG. Built in open(), constant from then on but
 * for what its device changes: the front does all standard behaviour (command,
 * BARs, MSI, MSI-X …), and what the guest writes there is not of interest here.
 */
#ifndef DEVICES_HOSTDEV_HOST_CONFIG_H
#define DEVICES_HOSTDEV_HOST_CONFIG_H

#include "lib/compiler.h"

#include <stddef.h>
#include <stdint.h>

#define HOST_CONFIG_SIZE 256u

struct host_config {
	uint8_t bytes[HOST_CONFIG_SIZE];
	uint8_t last_cap; /* offset of the last capability; 0: none */
	uint16_t end;	  /* where the next capability may begin */
};

struct host_config_ids {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_code; /* programming interface in bits 7:0 */
	uint8_t revision;
	uint8_t pin; /* 0: no interrupt; 1: INTA# */
};

void host_config_init(struct host_config *config, const struct host_config_ids *ids);
/*
 * A capability with @body (@len bytes) behind its id and its pointer, on a
 * boundary of four bytes. Its offset, or 0: it does not fit.
 */
unsigned host_config_add(struct host_config *config, uint8_t id, const void *body,
			 size_t len) __must_check;
/* MSI with 64-bit addresses and masks for each of @vectors, a power of two up to 32. */
unsigned host_config_add_msi(struct host_config *config, unsigned vectors) __must_check;
/* MSI-X of @vectors (1 to 2048): the table and the pending bits in BARs @bar and @pba_bar. The
 * front answers for both. */
unsigned host_config_add_msix(struct host_config *config, unsigned vectors, unsigned bar,
			      uint32_t offset, unsigned pba_bar, uint32_t pba_offset) __must_check;
/* Power management: D0 and D3hot, no PME. */
unsigned host_config_add_pm(struct host_config *config) __must_check;

/* Registers that change, under a lock of the scheme's. They lie within the space. */
void host_config_set(struct host_config *config, unsigned offset, uint32_t value, unsigned width);

/* For a scheme's read(). @width 1, 2 or 4, within the space; others read all ones. */
uint64_t host_config_read(const struct host_config *config, uint64_t offset, unsigned width);

#endif
