/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI fixed hardware: PM1 events and control, the PM timer, and the GPE0 block
 * whose events other devices raise. There is no SMI_CMD: the machine is always
 * in ACPI mode.
 *
 * Spec: ACPI 6.4, 4.8.3 (PM1, timer), 4.8.4 (GPE).
 * Keys: io, timer-bits.
 * Lock: lock over everything; the line's comes after it.
 */
#include "devices/acpi_node.h"
#include "devices/byte_io.h"
#include "devices/ticks.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/power_button.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

#define PM_TIMER_HZ 3579545
#define PM_SCI	    9
#define PM_S5_TYPE  5

/* From `io`. */
#define PM_EVENT     0x00 /* status and enable, 2 bytes each */
#define PM_CONTROL   0x04
#define PM_TIMER     0x08
#define PM_GPE0	     0x20 /* status, then enable */
#define PM_GPE_BYTES 4
#define PM_GPE0_EN   (PM_GPE0 + PM_GPE_BYTES)
#define PM_PORTS     (PM_GPE0_EN + PM_GPE_BYTES)

#define PM1_TMR	    0x0001u /* status, enable: the timer's highest bit changed */
#define PM1_GBL	    0x0020u
#define PM1_PWRBTN  0x0100u
#define PM1_RTC	    0x0400u
#define PM1_EN_MASK (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_RTC)

#define PM1_SCI_EN	  0x0001u
#define PM1_CNT_KEPT	  0x1c06u /* BM_RLD, GBL_RLS, SLP_TYP */
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_EN	  0x2000u

static const struct tick_rate pm_rate = TICK_RATE(PM_TIMER_HZ);

struct pm {
	struct spinlock lock;
	struct device *dev;
	struct irq_line *irq;
	struct device_timer *timer;
	struct acpi_pm acpi;
	struct acpi_node node;
	struct power_button button;
	struct acpi_gpe gpe;
	uint16_t status, enable, control; /* PM1 */
	bool warned;			  /* of a sleep type that is not given: once is enough */
	uint8_t gpe_status[PM_GPE_BYTES], gpe_enable[PM_GPE_BYTES];
	uint64_t half; /* half periods of the timer that status has seen */
};

static uint64_t pm_ticks(const struct pm *pm)
{
	return ticks_from_ns(&pm_rate, vm_time_ns(pm->dev->vm));
}

static unsigned pm_half_shift(const struct pm *pm)
{
	return pm->acpi.timer_32 ? 31 : 23;
}

static uint32_t pm_timer_value(const struct pm *pm)
{
	return (uint32_t)pm_ticks(pm) & (pm->acpi.timer_32 ? UINT32_MAX : 0xffffff);
}

static bool pm_gpe_pending(const struct pm *pm)
{
	unsigned i;

	for (i = 0; i < PM_GPE_BYTES; i++)
		if (pm->gpe_status[i] & pm->gpe_enable[i])
			return true;
	return false;
}

/* TMR_STS follows the clock when someone looks; a timer looks when it may interrupt. */
static void pm_update(struct pm *pm)
{
	uint64_t half = pm_ticks(pm) >> pm_half_shift(pm);

	if (half != pm->half)
		pm->status |= PM1_TMR;
	pm->half = half;
	irq_line_set(pm->irq, (pm->status & pm->enable) || pm_gpe_pending(pm));
	if ((pm->enable & PM1_TMR) && !(pm->status & PM1_TMR))
		device_timer_arm(pm->timer, ticks_to_ns(&pm_rate, (half + 1) << pm_half_shift(pm)));
	else
		device_timer_cancel(pm->timer);
}

static void pm_timer(void *opaque)
{
	struct pm *pm = opaque;

	spin_lock(&pm->lock);
	pm_update(pm);
	spin_unlock(&pm->lock);
}

static void pm_write_control(struct pm *pm, unsigned byte, uint8_t value)
{
	uint16_t control = (uint16_t)(pm->control & 0xff << (8 - byte * 8));

	control |= (uint16_t)(value << byte * 8);
	pm->control = control & PM1_CNT_KEPT;
	if (!byte || !(control & PM1_SLP_EN))
		return;
	if ((control >> PM1_SLP_TYP_SHIFT & 7) == PM_S5_TYPE) {
		vm_request(pm->dev->vm, VM_REQUEST_POWEROFF, "ACPI S5");
		return;
	}
	if (!pm->warned)
		device_log(pm->dev, LOG_WARN, "sleep type %u ignored: only S5 (%u) is given",
			   control >> PM1_SLP_TYP_SHIFT & 7, PM_S5_TYPE);
	pm->warned = true;
}

static uint8_t pm_read8(void *opaque, unsigned port)
{
	struct pm *pm = opaque;

	switch (port) {
	case PM_EVENT ... PM_EVENT + 1:
		pm_update(pm);
		return (uint8_t)(pm->status >> (port - PM_EVENT) * 8);
	case PM_EVENT + 2 ... PM_EVENT + 3:
		return (uint8_t)(pm->enable >> (port - PM_EVENT - 2) * 8);
	case PM_CONTROL ... PM_CONTROL + 1:
		return (uint8_t)((pm->control | PM1_SCI_EN) >> (port - PM_CONTROL) * 8);
	case PM_TIMER ... PM_TIMER + 3:
		return (uint8_t)(pm_timer_value(pm) >> (port - PM_TIMER) * 8);
	case PM_GPE0 ... PM_GPE0 + PM_GPE_BYTES - 1:
		return pm->gpe_status[port - PM_GPE0];
	case PM_GPE0_EN ... PM_GPE0_EN + PM_GPE_BYTES - 1:
		return pm->gpe_enable[port - PM_GPE0_EN];
	}
	return 0;
}

static void pm_write8(void *opaque, unsigned port, uint8_t value)
{
	struct pm *pm = opaque;
	unsigned shift = port % 2 * 8;

	switch (port) {
	case PM_EVENT ... PM_EVENT + 1: /* write 1 to clear */
		pm_update(pm);
		pm->status &= (uint16_t) ~(value << shift);
		pm_update(pm);
		break;
	case PM_EVENT + 2 ... PM_EVENT + 3:
		pm->enable &= (uint16_t)(0xff00 >> shift);
		pm->enable |= (uint16_t)(value << shift) & PM1_EN_MASK;
		pm_update(pm);
		break;
	case PM_CONTROL ... PM_CONTROL + 1:
		pm_write_control(pm, port - PM_CONTROL, value);
		break;
	case PM_GPE0 ... PM_GPE0 + PM_GPE_BYTES - 1: /* write 1 to clear */
		pm->gpe_status[port - PM_GPE0] &= (uint8_t)~value;
		pm_update(pm);
		break;
	case PM_GPE0_EN ... PM_GPE0_EN + PM_GPE_BYTES - 1:
		pm->gpe_enable[port - PM_GPE0_EN] = value;
		pm_update(pm);
		break;
	}
}

static void pm_gpe_raise(void *opaque, unsigned n)
{
	struct pm *pm = opaque;

	spin_lock(&pm->lock);
	pm->gpe_status[n / 8] |= (uint8_t)(1u << n % 8);
	pm_update(pm);
	spin_unlock(&pm->lock);
}

static bool pm_gpe_enabled(void *opaque, unsigned n)
{
	struct pm *pm = opaque;
	bool enabled;

	spin_lock(&pm->lock);
	enabled = pm->gpe_enable[n / 8] & 1u << n % 8;
	spin_unlock(&pm->lock);
	return enabled;
}

/* The timer is read whole, and often: without the lock. */
static int pm_read(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		   uint64_t *value)
{
	struct pm *pm = opaque;

	if (likely(offset == PM_TIMER && width == 4)) {
		*value = pm_timer_value(pm);
		return 0;
	}
	spin_lock(&pm->lock);
	byte_io_read(pm_read8, pm, offset, width, value);
	spin_unlock(&pm->lock);
	return 0;
}

static int pm_write(void *opaque, struct vcpu *vcpu __unused, uint64_t offset, unsigned width,
		    uint64_t value)
{
	struct pm *pm = opaque;

	spin_lock(&pm->lock);
	byte_io_write(pm_write8, pm, offset, width, value);
	spin_unlock(&pm->lock);
	return 0;
}

static const struct hook_ops pm_ops = {.read = pm_read, .write = pm_write};

static void pm_reset(struct device *dev)
{
	struct pm *pm = dev->state;

	spin_lock(&pm->lock);
	pm->status = pm->enable = pm->control = 0;
	memset(pm->gpe_status, 0, sizeof(pm->gpe_status));
	memset(pm->gpe_enable, 0, sizeof(pm->gpe_enable));
	pm->half = pm_ticks(pm) >> pm_half_shift(pm);
	pm_update(pm);
	spin_unlock(&pm->lock);
}

static void pm_press(void *opaque)
{
	struct pm *pm = opaque;

	spin_lock(&pm->lock);
	pm->status |= PM1_PWRBTN;
	pm_update(pm);
	spin_unlock(&pm->lock);
}

static const struct device_field pm_fields[] = {
	DEVICE_FIELD(struct pm, status, .max = PM1_EN_MASK),
	DEVICE_FIELD(struct pm, enable, .max = PM1_EN_MASK),
	DEVICE_FIELD(struct pm, control, .max = PM1_CNT_KEPT),
	DEVICE_FIELD(struct pm, gpe_status),
	DEVICE_FIELD(struct pm, gpe_enable),
	DEVICE_FIELD(struct pm, half),
	DEVICE_FIELD_TIMER(struct pm, timer),
	DEVICE_FIELD_LINE(struct pm, irq),
	{},
};

/* What was seen of the timer is not ahead of it. */
static const char *pm_check(const void *state)
{
	const struct pm *pm = state;

	return pm->half > pm_ticks(pm) >> pm_half_shift(pm) ? "half" : NULL;
}

static const struct device_state pm_saved = {
	.name = "pm",
	.version = 1,
	.size = sizeof(struct pm),
	.lock = DEVICE_STATE_LOCK(struct pm, lock),
	.fields = pm_fields,
	.check = pm_check,
};

static void pm_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int pm_create(struct device *dev, const struct device_config *config)
{
	uint16_t io = (uint16_t)device_config_uint(config, "io");
	struct pm *pm = kzalloc(sizeof(*pm));
	int err;

	if (!pm)
		return -ENOMEM;
	dev->state = pm;
	pm->dev = dev;
	pm->acpi = (struct acpi_pm){
		.pm1_event = io + PM_EVENT,
		.pm1_control = io + PM_CONTROL,
		.timer = io + PM_TIMER,
		.gpe0 = io + PM_GPE0,
		.gpe0_bytes = 2 * PM_GPE_BYTES,
		.sci = PM_SCI,
		.timer_32 = device_config_uint(config, "timer-bits"),
		.s5_type = PM_S5_TYPE,
	};
	pm->button = (struct power_button){.press = pm_press, .opaque = pm};
	pm->gpe = (struct acpi_gpe){pm_gpe_raise, pm_gpe_enabled, pm};
	pm->node = (struct acpi_node){.hid = ACPI_HID_BOARD, .io = {{io, PM_PORTS}}};
	err = device_timer(dev, pm_timer, pm, &pm->timer);
	if (!err)
		err = device_irq(dev, PM_SCI, NULL, &pm->irq);
	if (err)
		return err;
	pm_reset(dev);
	err = device_provide(dev, ACPI_PM_KIND, &pm->acpi);
	if (!err)
		err = device_provide(dev, ACPI_NODE_KIND, &pm->node);
	if (!err)
		err = device_provide(dev, POWER_BUTTON_KIND, &pm->button);
	if (!err)
		err = device_provide(dev, ACPI_GPE_KIND, &pm->gpe);
	if (!err)
		err = device_hook_io(dev, io, PM_PORTS, &pm_ops, pm);
	return err;
}

static const struct device_key pm_keys[] = {
	{.name = "io",
	 .kind = KEY_UINT,
	 .def = "0x600",
	 .max = 0x10000 - PM_PORTS,
	 .help = "first I/O port"},
	{.name = "timer-bits",
	 .kind = KEY_CHOICE,
	 .def = "32",
	 .choices = "24|32",
	 .help = "width of the PM timer"},
	{},
};

MACHINE_PART(pm_part, .machine = "pc", .text = "[device \"pm\"]\ntype = pm\n");

DEVICE_TYPE(pm_type, .name = "pm", .help = "ACPI power management: PM1, PM timer, S5",
	    .keys = pm_keys, .create = pm_create, .destroy = pm_destroy, .reset = pm_reset,
	    .saved = &pm_saved);
