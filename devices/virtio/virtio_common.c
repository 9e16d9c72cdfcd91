/* SPDX-License-Identifier: BSD-2-Clause */
/* The common configuration: the registers of VIRTIO 1.2, 4.1.4.3. */
#include "devices/virtio/virtio_internal.h"

enum common_reg {
	DEVICE_FEATURE_SELECT,
	DEVICE_FEATURE,
	DRIVER_FEATURE_SELECT,
	DRIVER_FEATURE,
	CONFIG_VECTOR,
	NUM_QUEUES,
	DEVICE_STATUS,
	CONFIG_GENERATION,
	QUEUE_SELECT,
	QUEUE_SIZE,
	QUEUE_VECTOR,
	QUEUE_ENABLE,
	QUEUE_NOTIFY_OFF,
	QUEUE_DESC,
	QUEUE_DRIVER,
	QUEUE_DEVICE,
	COMMON_REGS
};

static const struct {
	uint8_t offset, width;
} common_regs[COMMON_REGS] = {
	[DEVICE_FEATURE_SELECT] = {0, 4}, [DEVICE_FEATURE] = {4, 4},
	[DRIVER_FEATURE_SELECT] = {8, 4}, [DRIVER_FEATURE] = {12, 4},
	[CONFIG_VECTOR] = {16, 2},	  [NUM_QUEUES] = {18, 2},
	[DEVICE_STATUS] = {20, 1},	  [CONFIG_GENERATION] = {21, 1},
	[QUEUE_SELECT] = {22, 2},	  [QUEUE_SIZE] = {24, 2},
	[QUEUE_VECTOR] = {26, 2},	  [QUEUE_ENABLE] = {28, 2},
	[QUEUE_NOTIFY_OFF] = {30, 2},	  [QUEUE_DESC] = {32, 8},
	[QUEUE_DRIVER] = {40, 8},	  [QUEUE_DEVICE] = {48, 8},
};

static struct virtq *common_queue(struct virtio *v)
{
	return v->queue_select < v->queue_count ? &v->queues[v->queue_select] : NULL;
}

/* Features come in words of 32 bits. */
static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> (32 * select)) : 0;
}

static uint8_t common_generation(struct virtio *v)
{
	uint8_t generation;

	spin_lock(&v->config_lock);
	generation = v->generation;
	spin_unlock(&v->config_lock);
	return generation;
}

/* Of a queue that there is not, the size says so (0). */
static uint64_t queue_reg_get(const struct virtq *q, enum common_reg reg)
{
	if (!q)
		return reg == QUEUE_VECTOR ? VIRTIO_NO_VECTOR : 0;
	switch (reg) {
	case QUEUE_SIZE:
		return q->size;
	case QUEUE_VECTOR:
		return q->vector;
	case QUEUE_ENABLE:
		return q->enabled;
	case QUEUE_NOTIFY_OFF:
		return q->index;
	case QUEUE_DESC:
		return q->desc;
	case QUEUE_DRIVER:
		return q->driver;
	default:
		return q->device;
	}
}

static uint64_t common_get(struct virtio *v, enum common_reg reg)
{
	switch (reg) {
	case DEVICE_FEATURE_SELECT:
		return v->feature_select;
	case DEVICE_FEATURE:
		return feature_word(v->offered & ~v->withheld, v->feature_select);
	case DRIVER_FEATURE_SELECT:
		return v->driver_select;
	case DRIVER_FEATURE:
		return feature_word(v->features, v->driver_select);
	case CONFIG_VECTOR:
		return v->config_vector;
	case NUM_QUEUES:
		return v->queue_count;
	case DEVICE_STATUS:
		/* Not 0 while a reset goes on: something was set, or it would not take long. */
		return (uint8_t)v->status;
	case CONFIG_GENERATION:
		return common_generation(v);
	case QUEUE_SELECT:
		return v->queue_select;
	default:
		return queue_reg_get(common_queue(v), reg);
	}
}

/* Features are agreed on once, before FEATURES_OK (2.2.1). */
static void set_driver_feature(struct virtio *v, uint32_t value)
{
	unsigned shift = 32 * v->driver_select;
	uint64_t features;

	if (v->driver_select > 1)
		return;
	features = (v->features & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)value << shift;
	if (!(v->status & VIRTIO_STATUS_FEATURES_OK))
		v->features = features;
	else if (features != v->features)
		virtio_break(v, "features that change once they are agreed on");
}

static uint16_t vector_or_none(const struct virtio *v, uint64_t value)
{
	return value < virtio_vectors(v) ? (uint16_t)value : VIRTIO_NO_VECTOR;
}

static void queue_reg_set(struct virtio *v, struct virtq *q, enum common_reg reg, uint64_t value)
{
	if (reg == QUEUE_VECTOR)
		WRITE_ONCE(q->vector, vector_or_none(v, value));
	/* 4.1.4.3.2: the rest is settled once it is enabled. */
	if (q->enabled)
		return;
	switch (reg) {
	case QUEUE_SIZE:
		if (value && value <= q->size_max)
			q->size = (uint16_t)value;
		break;
	case QUEUE_ENABLE:
		if (value == 1)
			virtio_enable_queue(v, q);
		break;
	case QUEUE_DESC:
		q->desc = value;
		break;
	case QUEUE_DRIVER:
		q->driver = value;
		break;
	case QUEUE_DEVICE:
		q->device = value;
		break;
	default:
		break;
	}
}

static void common_set(struct virtio *v, enum common_reg reg, uint64_t value)
{
	switch (reg) {
	case DEVICE_FEATURE_SELECT:
		v->feature_select = (uint32_t)value;
		break;
	case DRIVER_FEATURE_SELECT:
		v->driver_select = (uint32_t)value;
		break;
	case DRIVER_FEATURE:
		set_driver_feature(v, (uint32_t)value);
		break;
	case CONFIG_VECTOR:
		WRITE_ONCE(v->config_vector, vector_or_none(v, value));
		break;
	case DEVICE_STATUS:
		virtio_set_status(v, (uint8_t)value);
		break;
	case QUEUE_SELECT:
		v->queue_select = (uint16_t)value;
		break;
	default:
		if (common_queue(v))
			queue_reg_set(v, common_queue(v), reg, value);
		break;
	}
}

/*
 * Accesses of any width at any offset are those of the bytes that they cover:
 * of each register, the others keep their value.
 */
static bool common_covers(enum common_reg reg, uint64_t offset, unsigned width)
{
	return common_regs[reg].offset < offset + width &&
	       offset < common_regs[reg].offset + common_regs[reg].width;
}

/* @value of the register, as it lies in the access; and the other way round. */
static uint64_t common_shift(uint64_t value, int64_t bytes)
{
	return bytes >= 0 ? value << (8 * bytes) : value >> (-8 * bytes);
}

static uint64_t width_mask(unsigned width)
{
	return UINT64_MAX >> (64 - 8 * width);
}

uint64_t virtio_common_read(struct virtio *v, uint64_t offset, unsigned width)
{
	uint64_t value = 0;
	unsigned reg;

	spin_lock(&v->lock);
	for (reg = 0; reg < COMMON_REGS; reg++)
		if (common_covers(reg, offset, width))
			value |= common_shift(common_get(v, reg),
					      common_regs[reg].offset - (int64_t)offset);
	spin_unlock(&v->lock);
	return value & width_mask(width);
}

void virtio_common_write(struct virtio *v, uint64_t offset, unsigned width, uint64_t value)
{
	uint64_t bits, mask;
	unsigned reg;
	int64_t by;

	spin_lock(&v->lock);
	for (reg = 0; reg < COMMON_REGS; reg++) {
		/* 2.1.2, 3.1: until the status reads 0 there is nothing to write to. */
		if (!common_covers(reg, offset, width) || (v->status & VIRTIO_RESETTING))
			continue;
		by = (int64_t)offset - common_regs[reg].offset;
		mask = common_shift(width_mask(width), by) & width_mask(common_regs[reg].width);
		bits = common_shift(value, by) & mask;
		common_set(v, reg, bits | (common_get(v, reg) & ~mask));
	}
	spin_unlock(&v->lock);
}
