/* SPDX-License-Identifier: BSD-2-Clause */
/* Modules that disks write to. */
#ifndef DEVICES_BACKEND_RAMDISK_IMAGE_H
#define DEVICES_BACKEND_RAMDISK_IMAGE_H

#include "lib/compiler.h"
#include "vmm/device.h"

struct boot_module;

/*
 * What VMs are made of is not for a guest to change: -EBUSY (logged) where a VM's config names
 * @module as something else than a disk's image, a kernel, a ROM. Task.
 */
int ramdisk_image_check(struct device *dev, const struct boot_module *module) __must_check;

#endif
