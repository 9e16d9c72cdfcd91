/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the transport share. */
#ifndef DEVICES_VIRTIO_VIRTIO_INTERNAL_H
#define DEVICES_VIRTIO_VIRTIO_INTERNAL_H

#include "devices/virtio/virtio.h"

/* virtio.lock is held. The driver writes @value to the device's status. */
void virtio_set_status(struct virtio *v, uint8_t value);
/* The driver enables the queue it has described. */
void virtio_enable_queue(struct virtio *v, struct virtq *q);

/* The common configuration (4.1.4.3). @offset and @width 1 to 8, anywhere: what is beyond it reads
 * 0. */
uint64_t virtio_common_read(struct virtio *v, uint64_t offset, unsigned width);
void virtio_common_write(struct virtio *v, uint64_t offset, unsigned width, uint64_t value);

/* Whether the device can do with v->features. */
bool virtio_features_ok(const struct virtio *v);
/* The window's fields that the driver sets, VIRTIO_WINDOW_SET bytes. virtio.lock is held. */
#define VIRTIO_WINDOW_SET 12u
uint8_t *virtio_window(struct virtio *v);

/* MSI-X vectors that the device has. */
static inline unsigned virtio_vectors(const struct virtio *v)
{
	return v->queue_count + 1;
}

/* The ISR status, and 0 from now on: INTx goes low. */
uint8_t virtio_isr_take(struct virtio *v);
/* The configuration space and the regions, for virtio_open(). */
void virtio_pci_init(struct virtio *v);
/* To power-on state. virtio.lock is held. */
void virtio_pci_reset(struct virtio *v);

#endif
