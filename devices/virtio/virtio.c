/* SPDX-License-Identifier: BSD-2-Clause */
/* Spec: VIRTIO 1.2, chapter 2 and 3.1. Registers are in virtio_common.c and virtio_pci.c. */
#include "devices/virtio/virtio.h"

#include "devices/hostdev/host_args.h"
#include "devices/virtio/virtio_internal.h"
#include "kernel/slab.h"
#include "kernel/task.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define COMPLAIN_NS UINT64_C(1000000000) /* between two lines in the log */

#define ISR_QUEUE  0x01
#define ISR_CONFIG 0x02

/* Interrupts (4.1.5.1, 4.1.5.3). */

static void virtio_raise(struct virtio *v, uint16_t vector, uint8_t isr)
{
	if (host_device_irq_mode(v->hd) == HOST_IRQ_MSIX) {
		if (vector != VIRTIO_NO_VECTOR)
			host_device_message(v->hd, vector);
		return;
	}
	spin_lock(&v->isr_lock);
	/* A reset that began meanwhile takes the status after us, or has. */
	if ((READ_ONCE(v->status) & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_RESETTING)) ==
	    VIRTIO_STATUS_DRIVER_OK) {
		v->isr |= isr;
		host_device_intx(v->hd, true);
	}
	spin_unlock(&v->isr_lock);
}

void virtio_interrupt(struct virtio *v, const struct virtq *q)
{
	virtio_raise(v, READ_ONCE(q->vector), ISR_QUEUE);
}

void virtio_config_interrupt(struct virtio *v)
{
	virtio_raise(v, READ_ONCE(v->config_vector), ISR_CONFIG);
}

uint8_t virtio_isr_take(struct virtio *v)
{
	uint8_t isr;

	spin_lock(&v->isr_lock);
	isr = v->isr;
	v->isr = 0;
	if (isr)
		host_device_intx(v->hd, false);
	spin_unlock(&v->isr_lock);
	return isr;
}

void virtio_config_set(struct virtio *v, unsigned offset, const void *data, size_t len)
{
	spin_lock(&v->config_lock);
	memcpy(v->config + offset, data, len);
	v->generation++;
	spin_unlock(&v->config_lock);
	if (virtio_has_driver(v))
		virtio_config_interrupt(v);
}

/* A guest that breaks and resets all day does not fill the log. */
static void virtio_complain(struct virtio *v, const char *why)
{
	uint64_t now = vm_time_ns(v->hd->owner->vm);
	uint64_t last = READ_ONCE(v->complained);

	if (last && now - last < COMPLAIN_NS)
		return;
	WRITE_ONCE(v->complained, now);
	device_log(v->hd->owner, LOG_WARN, "%s: the driver broke a rule: %s", v->hd->scheme->name,
		   why);
}

void virtio_break(struct virtio *v, const char *why)
{
	uint32_t old = __atomic_fetch_or(&v->status, VIRTIO_STATUS_NEEDS_RESET, __ATOMIC_ACQ_REL);

	if (old & VIRTIO_STATUS_NEEDS_RESET)
		return;
	virtio_complain(v, why);
	/* 2.1.2 */
	if (old & VIRTIO_STATUS_DRIVER_OK)
		virtio_config_interrupt(v);
}

/* The end of a reset, and the beginning of all. virtio.lock is held, or nobody knows @v yet. */
static void virtio_power_on(struct virtio *v)
{
	struct virtq *q;

	v->features = 0;
	v->feature_select = v->driver_select = 0;
	v->queue_select = 0;
	v->config_vector = VIRTIO_NO_VECTOR;
	for (q = v->queues; q < v->queues + v->queue_count; q++) {
		q->size = q->size_max;
		q->vector = VIRTIO_NO_VECTOR;
		q->enabled = false;
		q->desc = q->driver = q->device = 0;
	}
	__atomic_store_n(&v->refs, 1, __ATOMIC_RELAXED);
	/* The driver that reads 0 finds all of it done. */
	__atomic_store_n(&v->status, 0, __ATOMIC_RELEASE);
}

/* Nothing of the driver's is in the device's hands any more. virtio.lock is held. */
static void virtio_reset_end(struct virtio *v)
{
	if (v->ops->reset)
		v->ops->reset(v);
	/* A front that is gone has no line. */
	if (!v->closing)
		(void)virtio_isr_take(v);
	virtio_power_on(v);
}

static void virtio_reset_work(struct work *work)
{
	struct virtio *v = container_of(work, struct virtio, reset_work);

	spin_lock(&v->lock);
	virtio_reset_end(v);
	spin_unlock(&v->lock);
}

void virtio_hold(struct virtio *v)
{
	__atomic_add_fetch(&v->refs, 1, __ATOMIC_RELAXED);
}

/* The last one may have a queue's lock: the end of the reset is for a worker. */
void virtio_release(struct virtio *v)
{
	if (!__atomic_sub_fetch(&v->refs, 1, __ATOMIC_ACQ_REL))
		work_queue(&v->reset_work);
}

/* virtio.lock is held. */
static void virtio_reset_begin(struct virtio *v)
{
	struct virtq *q;

	if (v->status & VIRTIO_RESETTING)
		return;
	__atomic_fetch_or(&v->status, VIRTIO_RESETTING, __ATOMIC_ACQ_REL);
	for (q = v->queues; q < v->queues + v->queue_count; q++)
		virtq_stop(q);
	if (v->ops->stop)
		v->ops->stop(v);
	/* Mostly there is nothing to wait for. */
	if (!__atomic_sub_fetch(&v->refs, 1, __ATOMIC_ACQ_REL))
		virtio_reset_end(v);
}

void virtio_reset(struct host_device *hd)
{
	struct virtio *v = hd->state;

	spin_lock(&v->lock);
	virtio_reset_begin(v);
	virtio_pci_reset(v);
	spin_unlock(&v->lock);
}

void virtio_drain(struct host_device *hd)
{
	struct virtio *v = hd->state;

	while (__atomic_load_n(&v->status, __ATOMIC_ACQUIRE) & VIRTIO_RESETTING ||
	       __atomic_load_n(&v->kicks, __ATOMIC_ACQUIRE))
		task_yield();
	/* Who ended the reset has let go of the lock, and of @v. */
	spin_lock(&v->lock);
	spin_unlock(&v->lock);
}

/* 2.2.2, 2.2.3, 6.1: of what was offered, and not of a driver from before version 1. */
bool virtio_features_ok(const struct virtio *v)
{
	return !(v->features & (~v->offered | v->withheld)) && (v->features & VIRTIO_F_VERSION_1) &&
	       (!v->ops->accept || v->ops->accept(v, v->features));
}

static void virtio_start(struct virtio *v)
{
	struct virtq *q;

	for (q = v->queues; q < v->queues + v->queue_count; q++)
		if (q->enabled)
			virtq_start(q, v->features);
	if (v->ops->start)
		v->ops->start(v);
	/* A driver may have notified before, when nothing may be taken (3.1.1), and will not again:
	 * Linux's virtio-net of before 5.19 has. */
	for (q = v->queues; q < v->queues + v->queue_count; q++) {
		spin_lock(&q->lock);
		virtq_kick(q);
		spin_unlock(&q->lock);
	}
}

void virtio_set_status(struct virtio *v, uint8_t value)
{
	uint8_t fresh;

	if (!value) {
		virtio_reset_begin(v);
		return;
	}
	/* 2.1.1: bits are only ever set, and this one is the device's. */
	fresh = value & ~READ_ONCE(v->status) & ~VIRTIO_STATUS_NEEDS_RESET;
	if ((fresh & VIRTIO_STATUS_FEATURES_OK) && !virtio_features_ok(v))
		fresh &= ~VIRTIO_STATUS_FEATURES_OK;
	/* 3.1.1: not before features are agreed on. */
	if (!((fresh | v->status) & VIRTIO_STATUS_FEATURES_OK))
		fresh &= ~VIRTIO_STATUS_DRIVER_OK;
	__atomic_fetch_or(&v->status, fresh, __ATOMIC_ACQ_REL);
	if (fresh & VIRTIO_STATUS_DRIVER_OK)
		virtio_start(v);
}

void virtio_enable_queue(struct virtio *v, struct virtq *q)
{
	if (q->enabled)
		return;
	if (!(v->features & VIRTIO_F_RING_PACKED) && (q->size & (q->size - 1))) {
		virtio_break(v, "a split queue whose size is no power of two");
		return;
	}
	q->enabled = true;
	if (v->status & VIRTIO_STATUS_DRIVER_OK)
		virtq_start(q, v->features);
}

int virtio_open(struct virtio *v, struct host_device *hd, const struct virtio_shape *shape)
{
	unsigned i;

	v->queues = kcalloc(shape->queue_count, sizeof(*v->queues));
	if (!v->queues)
		return -ENOMEM;
	v->hd = hd;
	v->ops = shape->ops;
	v->offered = shape->features | VIRTIO_F_COMMON;
	v->queue_count = shape->queue_count;
	v->config = shape->config;
	v->config_size = shape->config_size;
	spinlock_init(&v->lock);
	spinlock_init(&v->config_lock);
	spinlock_init(&v->isr_lock);
	work_init(&v->reset_work, virtio_reset_work);
	for (i = 0; i < v->queue_count; i++)
		virtq_init(&v->queues[i], v, (uint16_t)i, shape->queue_sizes[i]);
	virtio_power_on(v);
	virtio_pci_init(v);
	hd->state = v;
	return 0;
}

void virtio_take_args(struct virtio *v, const struct host_args *args)
{
	if (!host_args_bool(args, "packed"))
		v->withheld |= VIRTIO_F_RING_PACKED;
}

void virtio_close(struct virtio *v)
{
	v->closing = true;
	virtio_reset(v->hd);
	virtio_drain(v->hd);
	kfree(v->queues);
}
