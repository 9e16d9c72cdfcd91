/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The educational PCI device that QEMU has, for those who learn to write
 * drivers: a factorial that is computed beside the CPU, interrupts, and DMA.
 *
 * Spec: QEMU, docs/specs/edu.rst (registers, PCI ids) and, for what that does
 * not say, what QEMU's device does: registers that do not exist read all ones,
 * a DMA command without its start bit is ignored, a transfer takes 100 ms.
 * Arguments: dma_mask. Lock: lock over everything.
 *
 * Where QEMU's stops the emulator or does harm, this one does nothing: a
 * transfer that does not lie within the buffer copies nothing, and ends.
 */
#include "devices/hostdev/host_args.h"
#include "devices/hostdev/host_config.h"
#include "devices/hostdev/host_device.h"
#include "devices/pci/pci_regs.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "kernel/time.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define EDU_VENDOR	     0x1234
#define EDU_DEVICE	     0x11e8
#define EDU_REVISION	     0x10
#define EDU_CLASS	     0x00ff00 /* PCI_CLASS_OTHERS: no class of its own */
#define EDU_SUBSYSTEM_VENDOR 0x1af4
#define EDU_SUBSYSTEM	     0x1100

#define EDU_MSI_WIDE 0x80 /* of MSI's control register: 64-bit addresses */

#define EDU_BAR	     0
#define EDU_BAR_SIZE 0x100000u

/* Registers; 32 bits wide, from EDU_WIDE on 32 or 64. */
#define EDU_ID		0x00 /* R */
#define EDU_LIVENESS	0x04 /* R/W: reads the inverse of what was written */
#define EDU_FACTORIAL	0x08 /* R/W */
#define EDU_STATUS	0x20 /* R/W */
#define EDU_IRQ_STATUS	0x24 /* R */
#define EDU_IRQ_RAISE	0x60 /* W */
#define EDU_IRQ_ACK	0x64 /* W */
#define EDU_WIDE	0x80
#define EDU_DMA_SOURCE	0x80 /* R/W, as those that follow */
#define EDU_DMA_TARGET	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_COMMAND 0x98

#define EDU_ID_VALUE 0x010000edu /* version 1.0; ed, and C's suffix of an unsigned */

#define EDU_STATUS_BUSY 0x01
#define EDU_STATUS_IRQ	0x80

#define EDU_DMA_START	0x1
#define EDU_DMA_TO_RAM	0x2
#define EDU_DMA_IRQ	0x4
#define EDU_IRQ_BY_FACT 0x001
#define EDU_IRQ_BY_DMA	0x100

#define EDU_BUFFER	0x40000 /* its address for the DMA engine; the CPU does not see it */
#define EDU_BUFFER_SIZE 4096

/* Long enough that a driver which does not wait for it is wrong. */
#define EDU_FACTORIAL_NS (20 * NSEC_PER_USEC)
#define EDU_DMA_NS	 (100 * NSEC_PER_MSEC)

struct edu {
	struct spinlock lock;
	struct host_device *hd;
	struct device_timer *factorial_timer, *dma_timer;
	struct host_config config;
	uint64_t dma_mask;
	uint32_t liveness;   /* LIVENESS */
	uint32_t factorial;  /* FACTORIAL */
	uint32_t status;     /* STATUS */
	uint32_t irq_status; /* IRQ_STATUS: an interrupt is raised while it is not 0 */
	uint64_t dma_source, dma_target, dma_count, dma_command;
	uint8_t buffer[EDU_BUFFER_SIZE];
};

static void edu_raise(struct edu *e, uint32_t causes)
{
	e->irq_status |= causes;
	if (!e->irq_status)
		return;
	if (host_device_irq_mode(e->hd) == HOST_IRQ_INTX)
		host_device_intx(e->hd, true);
	else
		host_device_message(e->hd, 0);
}

static void edu_acknowledge(struct edu *e, uint32_t causes)
{
	e->irq_status &= ~causes;
	if (!e->irq_status)
		host_device_intx(e->hd, false);
}

/* Modulo 2^32, which is 0 from 34 on. */
static uint32_t edu_compute(uint32_t n)
{
	uint32_t result = 1;

	if (n >= 34)
		return 0;
	for (; n > 1; n--)
		result *= n;
	return result;
}

static void edu_factorial_done(void *opaque)
{
	struct edu *e = opaque;

	spin_lock(&e->lock);
	if (e->status & EDU_STATUS_BUSY) {
		e->factorial = edu_compute(e->factorial);
		e->status &= ~EDU_STATUS_BUSY;
		if (e->status & EDU_STATUS_IRQ)
			edu_raise(e, EDU_IRQ_BY_FACT);
	}
	spin_unlock(&e->lock);
}

static void edu_transfer(struct edu *e)
{
	bool to_ram = e->dma_command & EDU_DMA_TO_RAM;
	uint64_t at = (to_ram ? e->dma_source : e->dma_target) - EDU_BUFFER;
	gpa_t gpa = (to_ram ? e->dma_target : e->dma_source) & e->dma_mask;
	int err = -ERANGE;

	if (at <= EDU_BUFFER_SIZE && e->dma_count <= EDU_BUFFER_SIZE - at)
		err = to_ram ? host_device_dma_write(e->hd, gpa, e->buffer + at, e->dma_count)
			     : host_device_dma_read(e->hd, gpa, e->buffer + at, e->dma_count);
	if (err)
		vm_log_guest(e->hd->owner->vm, LOG_WARN,
			     "%s: edu: DMA of %#lx bytes from %#lx to %#lx: %s", e->hd->owner->id,
			     e->dma_count, e->dma_source, e->dma_target,
			     err == -ERANGE   ? "outside its buffer"
			     : err == -EACCES ? "bus mastering is off"
					      : "not RAM");
}

static void edu_dma_done(void *opaque)
{
	struct edu *e = opaque;

	spin_lock(&e->lock);
	if (e->dma_command & EDU_DMA_START) {
		edu_transfer(e);
		e->dma_command &= ~(uint64_t)EDU_DMA_START;
		if (e->dma_command & EDU_DMA_IRQ)
			edu_raise(e, EDU_IRQ_BY_DMA);
	}
	spin_unlock(&e->lock);
}

/* The register of the DMA engine at @offset, or NULL. */
static uint64_t *edu_dma_register(struct edu *e, uint64_t offset)
{
	switch (offset) {
	case EDU_DMA_SOURCE:
		return &e->dma_source;
	case EDU_DMA_TARGET:
		return &e->dma_target;
	case EDU_DMA_COUNT:
		return &e->dma_count;
	case EDU_DMA_COMMAND:
		return &e->dma_command;
	}
	return NULL;
}

static uint64_t edu_register_read(struct edu *e, uint64_t offset)
{
	const uint64_t *dma = edu_dma_register(e, offset);

	switch (offset) {
	case EDU_ID:
		return EDU_ID_VALUE;
	case EDU_LIVENESS:
		return e->liveness;
	case EDU_FACTORIAL:
		return e->factorial;
	case EDU_STATUS:
		return e->status;
	case EDU_IRQ_STATUS:
		return e->irq_status;
	}
	return dma ? *dma : UINT64_MAX;
}

static bool edu_width_fits(uint64_t offset, unsigned width)
{
	return width == 4 || (width == 8 && offset >= EDU_WIDE);
}

static int edu_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		    uint64_t *value)
{
	struct edu *e = hd->state;

	*value = UINT64_MAX;
	if (region == HOST_REGION_CONFIG) {
		*value = host_config_read(&e->config, offset, width);
	} else if (edu_width_fits(offset, width)) {
		spin_lock(&e->lock);
		*value = edu_register_read(e, offset);
		spin_unlock(&e->lock);
	}
	return 0;
}

static void edu_compute_start(struct edu *e, uint32_t n)
{
	if (e->status & EDU_STATUS_BUSY)
		return;
	e->factorial = n;
	e->status |= EDU_STATUS_BUSY;
	device_timer_arm(e->factorial_timer, vm_time_ns(e->hd->owner->vm) + EDU_FACTORIAL_NS);
}

/* While a transfer runs, nothing of it can be changed. */
static void edu_dma_write(struct edu *e, uint64_t offset, uint64_t value)
{
	uint64_t *dma = edu_dma_register(e, offset);

	if (!dma || e->dma_command & EDU_DMA_START)
		return;
	if (offset == EDU_DMA_COMMAND && !(value & EDU_DMA_START))
		return;
	*dma = value;
	if (offset == EDU_DMA_COMMAND)
		device_timer_arm(e->dma_timer, vm_time_ns(e->hd->owner->vm) + EDU_DMA_NS);
}

static void edu_register_write(struct edu *e, uint64_t offset, uint64_t value)
{
	switch (offset) {
	case EDU_LIVENESS:
		e->liveness = ~(uint32_t)value;
		break;
	case EDU_FACTORIAL:
		edu_compute_start(e, (uint32_t)value);
		break;
	case EDU_STATUS:
		e->status = (e->status & ~EDU_STATUS_IRQ) | (value & EDU_STATUS_IRQ);
		break;
	case EDU_IRQ_RAISE:
		edu_raise(e, (uint32_t)value);
		break;
	case EDU_IRQ_ACK:
		edu_acknowledge(e, (uint32_t)value);
		break;
	default:
		edu_dma_write(e, offset, value);
	}
}

static int edu_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		     uint64_t value)
{
	struct edu *e = hd->state;

	if (region == HOST_REGION_CONFIG || !edu_width_fits(offset, width))
		return 0;
	spin_lock(&e->lock);
	edu_register_write(e, offset, value);
	spin_unlock(&e->lock);
	return 0;
}

static void edu_reset(struct host_device *hd)
{
	struct edu *e = hd->state;

	spin_lock(&e->lock);
	device_timer_cancel(e->factorial_timer);
	device_timer_cancel(e->dma_timer);
	e->liveness = e->factorial = e->status = 0;
	edu_acknowledge(e, UINT32_MAX);
	e->dma_source = e->dma_target = e->dma_count = e->dma_command = 0;
	memset(e->buffer, 0, sizeof(e->buffer));
	spin_unlock(&e->lock);
}

static void edu_close(struct host_device *hd)
{
	kfree(hd->state);
}

static int edu_config(struct host_config *config)
{
	/* One vector, without a mask; 64-bit addresses. */
	static const uint8_t edu_msi[12] = {EDU_MSI_WIDE};
	static const struct host_config_ids ids = {
		.vendor = EDU_VENDOR,
		.device = EDU_DEVICE,
		.subsystem_vendor = EDU_SUBSYSTEM_VENDOR,
		.subsystem = EDU_SUBSYSTEM,
		.class_code = EDU_CLASS,
		.revision = EDU_REVISION,
		.pin = 1,
	};

	host_config_init(config, &ids);
	return host_config_add(config, PCI_CAP_MSI, edu_msi, sizeof(edu_msi)) ? 0 : -ENOSPC;
}

static int edu_open(struct host_device *hd, const char *path __unused, const struct host_args *args)
{
	struct edu *e = kzalloc(sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	spinlock_init(&e->lock);
	e->hd = hd;
	e->dma_mask = host_args_uint(args, "dma_mask");
	err = edu_config(&e->config);
	if (!err)
		err = device_timer(hd->owner, edu_factorial_done, e, &e->factorial_timer);
	if (!err)
		err = device_timer(hd->owner, edu_dma_done, e, &e->dma_timer);
	if (err) {
		kfree(e);
		return err;
	}
	hd->state = e;
	hd->regions[EDU_BAR].size = EDU_BAR_SIZE;
	hd->regions[HOST_REGION_CONFIG].size = HOST_CONFIG_SIZE;
	return 0;
}

static const char *edu_check(const void *state)
{
	const struct edu *e = state;

	return e->status & ~(EDU_STATUS_BUSY | EDU_STATUS_IRQ) ? "status" : NULL;
}

static const struct device_field edu_fields[] = {
	DEVICE_FIELD_TIMER(struct edu, factorial_timer),
	DEVICE_FIELD_TIMER(struct edu, dma_timer),
	DEVICE_FIELD(struct edu, liveness),
	DEVICE_FIELD(struct edu, factorial),
	DEVICE_FIELD(struct edu, status),
	DEVICE_FIELD(struct edu, irq_status),
	DEVICE_FIELD(struct edu, dma_source),
	DEVICE_FIELD(struct edu, dma_target),
	DEVICE_FIELD(struct edu, dma_count),
	DEVICE_FIELD(struct edu, dma_command),
	DEVICE_FIELD(struct edu, buffer),
	{},
};

static const struct device_state edu_saved = {
	.name = "edu",
	.version = 1,
	.size = sizeof(struct edu),
	.lock = DEVICE_STATE_LOCK(struct edu, lock),
	.fields = edu_fields,
	.check = edu_check,
};

static const struct device_key edu_keys[] = {
	{.name = "dma_mask",
	 .kind = KEY_UINT,
	 .def = "0xfffffff",
	 .help = "the bits of an address that its DMA engine has"},
	{},
};

HOST_SCHEME(edu_scheme, .name = "edu", .help = "QEMU's device for those who learn to write drivers",
	    .bus = HOST_BUS_PCI, .keys = edu_keys, .open = edu_open, .close = edu_close,
	    .read = edu_read, .write = edu_write, .reset = edu_reset, .saved = &edu_saved);
