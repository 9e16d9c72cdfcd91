/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of `testdev:`, and what its commands do. Spec: docs/testdev.md. */
#include "devices/hostdev/testdev.h"

#include <errno.h>
#include <string.h>

/* A half of a register of 64 bits. */
static uint32_t testdev_half(uint64_t value, uint64_t offset)
{
	return (uint32_t)(offset & 4 ? value >> 32 : value);
}

static void testdev_set_half(uint64_t *value, uint64_t offset, uint32_t half)
{
	unsigned shift = offset & 4 ? 32 : 0;

	*value = (*value & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)half << shift;
}

static uint32_t testdev_count(const struct testdev *t, uint64_t offset)
{
	const uint32_t *counts = &t->counts[0][0][0];

	return counts[(offset - TESTDEV_COUNTS) / sizeof(counts[0])];
}

static uint32_t testdev_dma_register(const struct testdev *t, uint64_t offset)
{
	switch (offset) {
	case TESTDEV_DMA_SOURCE:
	case TESTDEV_DMA_SOURCE + 4:
		return testdev_half(t->dma_source, offset);
	case TESTDEV_DMA_TARGET:
	case TESTDEV_DMA_TARGET + 4:
		return testdev_half(t->dma_target, offset);
	case TESTDEV_DMA_LENGTH:
		return t->dma_length;
	case TESTDEV_DMA_RESULT:
		return t->dma_result;
	case TESTDEV_DMA_COPIED:
		return t->dma_copied;
	}
	return 0;
}

/* What other accesses left behind. */
static uint32_t testdev_trace_register(const struct testdev *t, uint64_t offset)
{
	switch (offset) {
	case TESTDEV_DOORBELLS:
		return t->doorbells;
	case TESTDEV_DOORBELL_OFFSET:
		return t->doorbell_offset;
	case TESTDEV_DOORBELL_VALUE:
		return t->doorbell_value;
	case TESTDEV_VOLATILE:
		return (uint32_t)host_config_read(&t->config, t->cap + TESTDEV_CAP_VOLATILE, 4);
	case TESTDEV_LAST_OFFSET:
	case TESTDEV_LAST_OFFSET + 4:
		return testdev_half(t->last_offset, offset);
	case TESTDEV_LAST_VALUE:
	case TESTDEV_LAST_VALUE + 4:
		return testdev_half(t->last_value, offset);
	}
	return 0;
}

/* Those that do not exist read 0. */
static uint32_t testdev_register(const struct testdev *t, uint64_t offset)
{
	switch (offset) {
	case TESTDEV_ID:
		return TESTDEV_ID_VALUE;
	case TESTDEV_SCRATCH:
		return t->scratch;
	case TESTDEV_RESETS:
		return t->resets;
	case TESTDEV_VECTOR:
		return t->vector;
	case TESTDEV_IRQ_MODE:
		return host_device_irq_mode(t->hd);
	case TESTDEV_INTX:
		return t->intx;
	case TESTDEV_EOIS:
		return t->eois;
	}
	if (offset >= TESTDEV_COUNTS && offset - TESTDEV_COUNTS < sizeof(t->counts))
		return testdev_count(t, offset);
	return offset < TESTDEV_DOORBELLS ? testdev_dma_register(t, offset)
					  : testdev_trace_register(t, offset);
}

static int testdev_regs_check(uint64_t offset, unsigned width)
{
	if (offset >= TESTDEV_BROKEN)
		return -EIO;
	return width == 4 && offset % 4 == 0 ? 0 : -EINVAL;
}

int testdev_regs_read(struct testdev *t, uint64_t offset, unsigned width, uint64_t *value)
{
	int err = testdev_regs_check(offset, width);

	if (!err)
		*value = testdev_register(t, offset);
	return err;
}

static uint32_t testdev_dma_error(int err)
{
	return err == -EACCES ? TESTDEV_DMA_REFUSED : TESTDEV_DMA_NOT_RAM;
}

/* Pieces that were copied before one fails stay. */
static uint32_t testdev_dma(struct testdev *t)
{
	uint32_t done, len;
	int err;

	for (done = 0; done < t->dma_length; done += len) {
		len = MIN(t->dma_length - done, (uint32_t)sizeof(t->piece));
		err = host_device_dma_read(t->hd, t->dma_source + done, t->piece, len);
		if (!err)
			err = host_device_dma_write(t->hd, t->dma_target + done, t->piece, len);
		if (err)
			return testdev_dma_error(err);
		t->dma_copied += len;
	}
	return TESTDEV_DMA_OK;
}

static uint32_t testdev_dma_mapped(struct testdev *t)
{
	const uint8_t *from = host_device_dma_map(t->hd, t->dma_source, t->dma_length, false);
	uint8_t *to = host_device_dma_map(t->hd, t->dma_target, t->dma_length, true);

	if (!from || !to)
		return TESTDEV_DMA_NOT_RAM;
	memmove(to, from, t->dma_length);
	t->dma_copied += t->dma_length;
	return TESTDEV_DMA_OK;
}

static void testdev_copy(struct testdev *t, uint32_t (*copy)(struct testdev *t))
{
	t->dma_result = t->dma_length <= TESTDEV_DMA_MAX ? copy(t) : TESTDEV_DMA_LONG;
}

static void testdev_command(struct testdev *t, uint32_t command)
{
	switch (command) {
	case TESTDEV_INTX_UP:
	case TESTDEV_INTX_DOWN:
		t->intx = command == TESTDEV_INTX_UP;
		host_device_intx(t->hd, t->intx);
		break;
	case TESTDEV_MESSAGE:
		host_device_message(t->hd, t->vector);
		break;
	case TESTDEV_DMA:
		testdev_copy(t, testdev_dma);
		break;
	case TESTDEV_DMA_MAPPED:
		testdev_copy(t, testdev_dma_mapped);
		break;
	case TESTDEV_CLEAR:
		memset(t->counts, 0, sizeof(t->counts));
		break;
	case TESTDEV_VANISH:
		host_device_vanish(t->hd);
		break;
	}
}

int testdev_regs_write(struct testdev *t, uint64_t offset, unsigned width, uint64_t value)
{
	int err = testdev_regs_check(offset, width);
	uint32_t v = (uint32_t)value;

	if (err)
		return err;
	switch (offset) {
	case TESTDEV_SCRATCH:
		t->scratch = v;
		break;
	case TESTDEV_COMMAND:
		testdev_command(t, v);
		break;
	case TESTDEV_VECTOR:
		t->vector = v;
		break;
	case TESTDEV_DMA_SOURCE:
	case TESTDEV_DMA_SOURCE + 4:
		testdev_set_half(&t->dma_source, offset, v);
		break;
	case TESTDEV_DMA_TARGET:
	case TESTDEV_DMA_TARGET + 4:
		testdev_set_half(&t->dma_target, offset, v);
		break;
	case TESTDEV_DMA_LENGTH:
		t->dma_length = v;
		break;
	case TESTDEV_VOLATILE:
		host_config_set(&t->config, t->cap + TESTDEV_CAP_VOLATILE, v, 4);
		break;
	}
	return 0;
}
