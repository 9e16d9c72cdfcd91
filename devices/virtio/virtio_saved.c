/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/virtio/virtio_saved.h"

#include "devices/virtio/virtio_internal.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "vmm/vm.h"

#include <string.h>

#define VIRTIO_DRAIN_NS (2 * NSEC_PER_SEC) /* that backends have to end what they were given */

/* A queue. What was told to the driver of notifications is told anew. */

static const struct device_field virtq_fields[] = {
	DEVICE_FIELD(struct virtq, size),
	DEVICE_FIELD(struct virtq, vector),
	DEVICE_FIELD(struct virtq, enabled),
	DEVICE_FIELD(struct virtq, desc),
	DEVICE_FIELD(struct virtq, driver),
	DEVICE_FIELD(struct virtq, device),
	DEVICE_FIELD(struct virtq, next_avail),
	DEVICE_FIELD(struct virtq, next_used),
	DEVICE_FIELD(struct virtq, avail_wrap),
	DEVICE_FIELD(struct virtq, used_wrap),
	{},
};

static const char *virtq_check(const void *state)
{
	const struct virtq *q = state;

	if (!q->size || q->size > q->size_max)
		return "size";
	return q->vector > q->virtio->queue_count && q->vector != VIRTIO_NO_VECTOR ? "vector"
										   : NULL;
}

static const struct device_state virtq_saved = {
	.name = "virtq",
	.version = 1,
	.size = sizeof(struct virtq),
	.lock = DEVICE_STATE_LOCK(struct virtq, lock),
	.fields = virtq_fields,
	.check = virtq_check,
};

static size_t virtio_queues_count(const void *state)
{
	return ((const struct virtio *)state)->queue_count;
}

static const struct device_ref virtio_queues = {
	.type = &virtq_saved,
	.count = virtio_queues_count,
};

/* As the driver's DRIVER_OK began it, and then from where it was. */
static void virtq_resume(struct virtq *q, uint64_t features)
{
	const uint16_t next_avail = q->next_avail, next_used = q->next_used;
	const bool avail_wrap = q->avail_wrap, used_wrap = q->used_wrap;

	virtq_start(q, features);
	spin_lock(&q->lock);
	q->next_avail = q->avail_seen = next_avail;
	q->next_used = next_used;
	q->avail_wrap = avail_wrap;
	q->used_wrap = used_wrap;
	q->armed = false;
	spin_unlock(&q->lock);
}

/* What of the window the driver has set. */

static size_t virtio_window_save(void *state, uint8_t *buf, size_t size)
{
	struct virtio *v = state;

	if (size >= VIRTIO_WINDOW_SET)
		memcpy(buf, virtio_window(v), VIRTIO_WINDOW_SET);
	return VIRTIO_WINDOW_SET;
}

static const char *virtio_window_check(const void *state __unused, const uint8_t *data __unused,
				       size_t len)
{
	return len == VIRTIO_WINDOW_SET ? NULL : "of another size";
}

static const char *virtio_window_load(void *state, const uint8_t *data, size_t len)
{
	memcpy(virtio_window(state), data, len);
	return NULL;
}

static const struct device_blob virtio_window_blob = {
	.save = virtio_window_save,
	.check = virtio_window_check,
	.load = virtio_window_load,
};

/* What is still under way cannot be saved. */

static size_t virtio_busy_count(const void *state)
{
	return ((const struct virtio *)state)->busy;
}

static const struct device_state *virtio_busy_type(const void *state __unused, const char **name)
{
	*name = "a request that its backend does not end";
	return NULL;
}

static const struct device_ref virtio_busy = {
	.type_of = virtio_busy_type,
	.count = virtio_busy_count,
};

static bool virtio_is_busy(const struct virtio *v)
{
	return READ_ONCE(v->status) & VIRTIO_RESETTING ||
	       __atomic_load_n(&v->refs, __ATOMIC_ACQUIRE) != 1 ||
	       __atomic_load_n(&v->kicks, __ATOMIC_ACQUIRE);
}

/* Its vCPUs stand still: no reset begins. Until the one that there is ends, nothing is held. */
static void virtio_pre_save(void *state)
{
	struct virtio *v = state;
	uint64_t end = time_ns() + VIRTIO_DRAIN_NS;
	unsigned i;

	while (READ_ONCE(v->status) & VIRTIO_RESETTING && time_ns() < end)
		task_yield();
	__atomic_fetch_or(&v->status, VIRTIO_HELD, __ATOMIC_ACQ_REL);
	/* Who has not seen it is done with its queue. */
	for (i = 0; i < v->queue_count; i++) {
		spin_lock(&v->queues[i].lock);
		spin_unlock(&v->queues[i].lock);
	}
	if (v->ops->hold)
		v->ops->hold(v);
	while (virtio_is_busy(v) && time_ns() < end)
		task_yield();
	v->busy = virtio_is_busy(v);
	/* Who writes to a ring again maps it again (vmm/guest_past.h). */
	for (i = 0; i < v->queue_count; i++) {
		spin_lock(&v->queues[i].lock);
		v->queues[i].mapped = false;
		spin_unlock(&v->queues[i].lock);
	}
}

/* All look whether there is something for them. */
static void virtio_post_save(void *state)
{
	struct virtio *v = state;
	struct virtq *q;

	v->busy = false;
	__atomic_fetch_and(&v->status, ~(uint32_t)VIRTIO_HELD, __ATOMIC_ACQ_REL);
	for (q = v->queues; q < v->queues + v->queue_count; q++) {
		spin_lock(&q->lock);
		virtq_kick(q);
		spin_unlock(&q->lock);
	}
}

static const char *virtio_check(const void *state)
{
	const struct virtio *v = state, *live = v->hd->state;
	bool packed = v->features & VIRTIO_F_RING_PACKED;
	const struct virtq *q;

	if ((v->offered ^ live->offered) & ~v->ops->varying)
		return "offered";
	if (v->status & ~(uint32_t)(UINT8_MAX | VIRTIO_HELD) ||
	    (v->status & VIRTIO_STATUS_DRIVER_OK && !(v->status & VIRTIO_STATUS_FEATURES_OK)))
		return "status";
	if (v->status & VIRTIO_STATUS_FEATURES_OK && !virtio_features_ok(v))
		return "features";
	if (v->config_vector > v->queue_count && v->config_vector != VIRTIO_NO_VECTOR)
		return "config_vector";
	for (q = v->queues; q < v->queues + v->queue_count; q++)
		if (q->enabled && (packed ? q->next_avail >= q->size || q->next_used >= q->size
					  : q->size & (q->size - 1)))
			return "queues";
	return NULL;
}

/* Bus mastering is as it was: rings are found where they were. */
static const char *virtio_post_load(void *state)
{
	struct virtio *v = state;
	struct virtq *q;

	for (q = v->queues; q < v->queues + v->queue_count; q++)
		if (q->enabled && v->status & VIRTIO_STATUS_DRIVER_OK)
			virtq_resume(q, v->features);
	virtio_post_save(v);
	return NULL;
}

static const struct device_field virtio_fields[] = {
	{.name = "busy",
	 .offset = offsetof(struct virtio, hd),
	 .kind = DEVICE_FIELD_REF_KIND,
	 .count = 1,
	 .ref = &virtio_busy},
	DEVICE_FIELD(struct virtio, offered),
	DEVICE_FIELD(struct virtio, status),
	DEVICE_FIELD(struct virtio, features),
	DEVICE_FIELD(struct virtio, feature_select),
	DEVICE_FIELD(struct virtio, driver_select),
	DEVICE_FIELD(struct virtio, queue_select),
	DEVICE_FIELD(struct virtio, config_vector),
	DEVICE_FIELD(struct virtio, generation),
	DEVICE_FIELD(struct virtio, isr, .max = 3),
	DEVICE_FIELD_BLOB("window", &virtio_window_blob),
	DEVICE_FIELD_REF(struct virtio, queues, &virtio_queues),
	{},
};

const struct device_state virtio_saved = {
	.name = "virtio",
	.version = 1,
	.size = sizeof(struct virtio),
	.lock = DEVICE_STATE_LOCK(struct virtio, lock),
	.fields = virtio_fields,
	.pre_save = virtio_pre_save,
	.post_save = virtio_post_save,
	.check = virtio_check,
	.post_load = virtio_post_load,
};
