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
