/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices as host devices on PCI (VIRTIO 1.2, chapter 2 and 4.1): the
 * transport, which every type of them embeds as its `struct virtio`. What a
 * type does stands in a const struct virtio_ops.
 *
 * Locks, in this order: virtio.lock over the transport's registers and the
 * device's life; a queue's lock; then those of the device's own, frontends'
 * and fronts'.
 *
 * Life: the driver sets DRIVER_OK: queues go live, start(). It resets (status
 * 0), or the front does: queues stop, stop(); when all chains that were popped
 * are given back, reset(), and only then the status reads 0. Nobody waits for
 * that but close(). A driver that breaks the rules (virtio_break()) finds
 * DEVICE_NEEDS_RESET in the status and queues that stand still, until it resets.
 */
#ifndef DEVICES_VIRTIO_VIRTIO_H
#define DEVICES_VIRTIO_VIRTIO_H

#include "devices/hostdev/host_config.h"
#include "devices/hostdev/host_device.h"
#include "devices/virtio/virtq.h"
#include "kernel/spinlock.h"
#include "kernel/work.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct host_args;

#define VIRTIO_QUEUES_MAX 127 /* each has a vector of its own, configuration changes one */
#define VIRTIO_CONFIG_MAX 4096

/* Device types (5). */
#define VIRTIO_ID_NET	  1
#define VIRTIO_ID_BLOCK	  2
#define VIRTIO_ID_CONSOLE 3
#define VIRTIO_ID_ENTROPY 4

/* Feature bits that no type of its own has (6). */
#define VIRTIO_F_INDIRECT_DESC BIT(28)
#define VIRTIO_F_EVENT_IDX     BIT(29)
#define VIRTIO_F_VERSION_1     BIT(32)
#define VIRTIO_F_RING_PACKED   BIT(34)
/* What every device offers. */
#define VIRTIO_F_COMMON \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED)

/* Device status (2.1). */
#define VIRTIO_STATUS_ACKNOWLEDGE 0x01
#define VIRTIO_STATUS_DRIVER	  0x02
#define VIRTIO_STATUS_DRIVER_OK	  0x04
#define VIRTIO_STATUS_FEATURES_OK 0x08
#define VIRTIO_STATUS_NEEDS_RESET 0x40
#define VIRTIO_STATUS_FAILED	  0x80
/* Not the driver's to see: it has reset, and not all is over. */
#define VIRTIO_RESETTING 0x100
/* Nor is that it is being saved: chains that were popped are given back, and none is popped. */
#define VIRTIO_HELD 0x200

#define VIRTIO_NO_VECTOR 0xffff

struct virtio_ops {
	uint16_t id;
	uint32_t class_code; /* PCI's */
	uint64_t varying;    /* features that it offers at times */
	/*
	 * Whether the device can do with @features (of those it offered), or else FEATURES_OK
	 * stays off. NULL: any. virtio.lock is held.
	 */
	bool (*accept)(const struct virtio *v, uint64_t features);
	/* DRIVER_OK; v->features are set, enabled queues are live. NULL: nothing. virtio.lock is
	 * held. */
	void (*start)(struct virtio *v);
	/*
	 * A reset begins; nothing can be popped any more: chains that are kept are to be given
	 * back soon, those that nobody works at from here. NULL: none is ever kept. virtio.lock
	 * is held.
	 */
	void (*stop)(struct virtio *v);
	/* All chains are given back: to power-on state. NULL: it has none. virtio.lock is held. */
	void (*reset)(struct virtio *v);
	/* The driver notifies of chains in @q, or virtq_kick() did. No lock is held; exit path or
	 * worker. */
	void (*notify)(struct virtio *v, struct virtq *q);
	/* It is to be saved, nothing can be popped any more: chains that wait for others are put
	 * back. NULL: none do. No lock is held. */
	void (*hold)(struct virtio *v);
	/* A write to the device's configuration; @width 1, 2, 4 or 8, within it. NULL: all of it
	 * is read-only. virtio.lock is held. */
	void (*config_write)(struct virtio *v, unsigned offset, unsigned width, uint64_t value);
};

struct virtio {
	struct host_device *hd;
	const struct virtio_ops *ops;
	uint64_t offered;  /* feature bits */
	uint64_t withheld; /* those of them that it does not offer, by its URL; constant */
	unsigned queue_count;
	struct virtq *queues;

	struct spinlock lock;
	/* VIRTIO_STATUS_, VIRTIO_RESETTING and VIRTIO_HELD. Atomic, because virtio_break() sets one
	 * under any lock. */
	uint32_t status;
	uint64_t features; /* as the driver writes them; agreed on from FEATURES_OK on */
	uint32_t feature_select, driver_select;
	uint16_t queue_select, config_vector;
	/* Chains that were popped, and one while there is no reset. Atomic. */
	uint32_t refs;
	/* Work that is queued, which no reset waits for, but who saves or frees does. Atomic. */
	uint32_t kicks;
	struct work reset_work;
	bool closing;
	bool busy;	     /* while it is saved: it has chains that its backend does not end */
	uint64_t complained; /* guest time of the last line in the log */

	/* The device's configuration, as the driver reads it. */
	struct spinlock config_lock;
	uint8_t *config;
	unsigned config_size;
	uint8_t generation;

	struct spinlock isr_lock; /* over isr and INTx's level */
	uint8_t isr;

	/* PCI's; what may be written of it is under virtio.lock. */
	struct host_config pci;
	unsigned window; /* offset of the capability to access BARs through */
};

/* What open() knows of a type. */
struct virtio_shape {
	const struct virtio_ops *ops;
	uint64_t features; /* the type's own: VIRTIO_F_COMMON is added */
	unsigned queue_count;
	const uint16_t *queue_sizes; /* the most entries: powers of two up to VIRTQ_SIZE_MAX */
	void *config;		     /* the type's memory, with its first contents */
	unsigned config_size;	     /* up to VIRTIO_CONFIG_MAX */
};

/*
 * For a scheme's open(). @v is in zeroed memory that the type frees after
 * virtio_close(). hd->state becomes @v. 0 or -ENOMEM.
 */
int virtio_open(struct virtio *v, struct host_device *hd,
		const struct virtio_shape *shape) __must_check;
/* Arguments that every type has: in its table of keys, and for open(), behind virtio_open(). */
#define VIRTIO_ARGS                                               \
	{                                                         \
		.name = "packed", .kind = KEY_BOOL, .def = "on",  \
		.help = "offers packed queues, beside split ones" \
	}
void virtio_take_args(struct virtio *v, const struct host_args *args);

/* For a scheme's close(): waits until all chains are given back. Task. */
void virtio_close(struct virtio *v);

/* The rest of a scheme. */
int virtio_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		uint64_t *value);
int virtio_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		 uint64_t value);
void virtio_doorbell(struct host_device *hd, unsigned region, uint64_t offset, uint64_t value);
void virtio_reset(struct host_device *hd);
void virtio_drain(struct host_device *hd);

#define VIRTIO_SCHEME                                                    \
	.bus = HOST_BUS_PCI, .read = virtio_read, .write = virtio_write, \
	.doorbell = virtio_doorbell, .reset = virtio_reset, .drain = virtio_drain

/* The driver is ready, broke no rule and does not reset. Stays so under virtio.lock, but for
 * virtio_break(). */
static inline bool virtio_has_driver(const struct virtio *v)
{
	return (READ_ONCE(v->status) & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET |
					VIRTIO_RESETTING)) == VIRTIO_STATUS_DRIVER_OK;
}

/* The same, and it is not being saved. */
static inline bool virtio_running(const struct virtio *v)
{
	return (READ_ONCE(v->status) & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET |
					VIRTIO_RESETTING | VIRTIO_HELD)) == VIRTIO_STATUS_DRIVER_OK;
}

/* The driver broke a rule, @why: DEVICE_NEEDS_RESET. Any context and lock. */
void virtio_break(struct virtio *v, const char *why);

/* Changes the configuration that the driver sees, and tells it. Any context, a queue's lock may be
 * held. */
void virtio_config_set(struct virtio *v, unsigned offset, const void *data, size_t len);

/* For what a device does with the guest's memory besides chains: the reset is over only when all
 * that was held is released. Hold: under the lock of a live queue, or under virtio.lock of a
 * running device. */
void virtio_hold(struct virtio *v);
void virtio_release(struct virtio *v);

/* Queues: an interrupt for @q, or for all users of the configuration. */
void virtio_interrupt(struct virtio *v, const struct virtq *q);
void virtio_config_interrupt(struct virtio *v);

#endif
