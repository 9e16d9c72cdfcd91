/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a checkpoint has of a virtio device. A type's structure begins with its
 * struct virtio, and so does its table:
 *
 *	static const struct device_field card_fields[] = {
 *		VIRTIO_SAVED_FIELD(struct card),
 *		…
 *
 * Before it is saved the device takes no more chains (VIRTIO_HELD), and gives
 * those back that it has; what it still has after a while refuses the
 * checkpoint. Then it goes on, and so does one that was loaded.
 */
#ifndef DEVICES_VIRTIO_VIRTIO_SAVED_H
#define DEVICES_VIRTIO_VIRTIO_SAVED_H

#include "devices/virtio/virtio.h"
#include "vmm/device_state.h"

extern const struct device_state virtio_saved;

#define VIRTIO_SAVED_FIELD(struct_) DEVICE_FIELD_STRUCT(struct_, virtio, &virtio_saved)

#endif
