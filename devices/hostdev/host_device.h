/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host devices: implementations that know nothing of the bus that shows them.
 * A front (PCI's front-end, the generic device) opens one by URL,
 * `scheme:path?key=value&…`, and accesses it by (region, offset, width): it
 * never sees at which address of the guest's it is. It has regions, interrupts,
 * DMA and state. A scheme is a const descriptor in a linker section.
 *
 * Contexts: open and close are the front's create() and destroy(), in a task.
 * Everything else may come on any CPU, several at a time; it never waits and
 * allocates nothing. No lock is held when the scheme is called.
 */
#ifndef DEVICES_HOSTDEV_HOST_DEVICE_H
#define DEVICES_HOSTDEV_HOST_DEVICE_H

#include "kernel/spinlock.h"
#include "lib/compiler.h"
#include "lib/list.h"
#include "vmm/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;
struct device_key;
struct device_ref;
struct device_state;
struct host_args;
struct host_device;

/* What can show it: PCI's front-end, or devices with ports and memory of their own. */
enum host_bus { HOST_BUS_PCI, HOST_BUS_DIRECT };

#define HOST_SCHEME_MAX 31

/* Regions, numbered as VFIO does. Of a direct device's, 0-5 are its windows and no more. */
#define HOST_REGION_BARS   6 /* 0-5 */
#define HOST_REGION_ROM	   6
#define HOST_REGION_CONFIG 7 /* 256 or 4096 bytes */
#define HOST_REGIONS	   8

/* Set by open(), constant from then on. Size 0: there is none of that number. */
struct host_region {
	uint64_t size;	   /* bytes; of BARs and the ROM a power of two */
	bool io;	   /* ports; else memory */
	bool wide;	   /* a 64-bit BAR: the next number has none */
	bool prefetchable; /* memory: reads have no effect, writes may be merged */
	/*
	 * The bytes at [pages_offset, + pages_size) of memory are these pages of the page
	 * allocator's, in one piece: the guest may reach them without an exit, and at any time.
	 * No doorbell and nothing of MSI-X's is among them. From 2 MiB on, the region begins (or
	 * would) at a multiple of 2 MiB. They are the device's until close(). Accesses that exit
	 * all the same, because BARs overlap or are being moved, come to read() and write().
	 */
	void *pages;
	uint64_t pages_offset, pages_size;
	/*
	 * A write of any width at [doorbell_offset, + doorbell_size) is a call of doorbell(), and
	 * nothing else: the fast path. Size 0: none.
	 */
	uint64_t doorbell_offset, doorbell_size;
};

struct host_scheme {
	const char *name;
	const char *help; /* one line */
	enum host_bus bus;
	const struct device_key *keys; /* of the URL's arguments, ended by a NULL name; NULL: none.
					  STRING, UINT, SIZE, BOOL and CHOICE alone */
	const char *path_help;	       /* what stands between `:` and `?`; NULL: nothing may */
	/*
	 * Sets state and regions, takes resources of hd->owner. An error leaves nothing: close() is
	 * not called. It is logged by open(), with hd->owner's name, where it is not -ENOMEM.
	 * @path and @args are valid until it returns.
	 */
	int (*open)(struct host_device *hd, const char *path, const struct host_args *args);
	/* The front is gone, so are the owner's resources, before which reset() and drain() were
	 * called: nobody calls any more, and what the device has in flight is waited for here. */
	void (*close)(struct host_device *hd);
	/*
	 * Within a region, @width 1, 2, 4 or 8. A negative errno is answered as by a device that
	 * is not there, and logged.
	 */
	int (*read)(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		    uint64_t *value);
	int (*write)(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		     uint64_t value);
	/* NULL where no region has one. @offset is the region's. */
	void (*doorbell)(struct host_device *hd, unsigned region, uint64_t offset, uint64_t value);
	/* To power-on state; what was in flight is done or forgotten, and reaches the guest's
	 * memory no more, but for what drain() waits for. NULL: there is nothing to reset. */
	void (*reset)(struct host_device *hd);
	/* After reset(): returns when nothing that was in flight reaches the guest's memory any
	 * more. From a task, which yields. NULL: it never does. */
	void (*drain)(struct host_device *hd);
	/* The guest ended an INTx interrupt; NULL: not of interest. */
	void (*eoi)(struct host_device *hd);
	/* What of hd->state a checkpoint has, by a table of the scheme's name (vmm/device_state.h).
	 * NULL: a VM with such a device cannot be saved, unless hd->state is NULL. */
	const struct device_state *saved;
};

#define HOST_SCHEME(ident_, ...) \
	TABLE_ENTRY(host_schemes, struct host_scheme, ident_) = {__VA_ARGS__}

/* How the guest wants to be interrupted. */
enum host_irq_mode { HOST_IRQ_INTX, HOST_IRQ_MSI, HOST_IRQ_MSIX };

/*
 * What a front does for the device. Called with the device's locks held, if
 * it likes: a front's own locks come after those, and it calls nothing back.
 */
struct host_front_ops {
	void (*intx)(void *opaque, bool level);
	/* MSI or MSI-X, as the guest has set it; masked ones become pending. */
	void (*message)(void *opaque, unsigned vector);
	enum host_irq_mode (*irq_mode)(void *opaque);
	/* Bus mastering is on. */
	bool (*master)(void *opaque);
	/* host_device_vanish() */
	void (*vanished)(void *opaque);
	/* For `info`: the guest's name of the place where it sees the device. May be NULL. */
	void (*where)(void *opaque, char *buf, size_t size);
};

struct host_device {
	const struct host_scheme *scheme;
	struct device *owner;
	void *state; /* the scheme's */
	struct host_region regions[HOST_REGIONS];
	const struct host_front_ops *front; /* NULL: it has neither interrupts nor DMA */
	void *front_opaque;
	gpa_t dma_base; /* its DMA reaches RAM in [dma_base, dma_base + dma_size) */
	uint64_t dma_size;
	bool dma_told; /* that it wanted more; atomic */
	bool vanished;
	const char *url;       /* as it was opened */
	struct list_head link; /* in host_devices */
};

/*
 * Fronts. Opens @url for @owner, on a bus of kind @bus. @front is called from
 * within it at the earliest. -EINVAL (no URL, a bad path, an argument that the
 * scheme has not), -ENOENT (no such scheme), -ENODEV (another bus's), -ENOMEM,
 * or the scheme's. Logged. Task.
 */
int host_device_open(struct device *owner, const char *url, enum host_bus bus,
		     const struct host_front_ops *front, void *front_opaque,
		     struct host_device **out) __must_check;
/*
 * Its DMA reaches [@base, @base + @size) alone from now on, and no other confined device's does.
 * Before the guest sees it. Errors as of device_dma_window().
 */
int host_device_confine(struct host_device *hd, gpa_t base, uint64_t size) __must_check;
/* No handler uses it any more: from the owner's destroy(). NULL is fine. */
void host_device_close(struct host_device *hd);

/* -ERANGE: not within the region. -ENODEV: it has vanished. */
int host_device_read(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		     uint64_t *value) __must_check;
int host_device_write(struct host_device *hd, unsigned region, uint64_t offset, unsigned width,
		      uint64_t value) __must_check;
void host_device_reset(struct host_device *hd);
/* Task, after host_device_reset(): what was in flight is over, too. */
void host_device_drain(struct host_device *hd);
void host_device_eoi(struct host_device *hd);

/* Devices, from any context. Without a front that has them, interrupts go nowhere. */
void host_device_intx(struct host_device *hd, bool level);
void host_device_message(struct host_device *hd, unsigned vector);
enum host_irq_mode host_device_irq_mode(struct host_device *hd);
/* The device is gone by itself (surprise removal): reads give all ones from now on, writes and
 * doorbells do nothing. It is still closed by its front. */
void host_device_vanish(struct host_device *hd);

/* Whether DMA would be possible now: there is a front, bus mastering is on, and so on. */
bool host_device_may_dma(struct host_device *hd);
/*
 * DMA, by physical addresses of the guest's. -EACCES: no front, bus mastering
 * is off, or the device has vanished; -EFAULT: not all of it is RAM that the
 * device may reach, and nothing was copied.
 */
int host_device_dma_read(struct host_device *hd, gpa_t gpa, void *buf, size_t len) __must_check;
int host_device_dma_write(struct host_device *hd, gpa_t gpa, const void *buf,
			  size_t len) __must_check;
/*
 * Where [@gpa, @gpa + @len) lies for us, to read and, with @write, to write;
 * stays until the device is closed or reset, or its scheme's pre_save() is
 * called. NULL: as the errors above, or it is in two pieces (never so within
 * GUEST_GRANULE).
 */
uint8_t *host_device_dma_map(struct host_device *hd, gpa_t gpa, size_t len,
			     bool write) __must_check;

/* For a front's table: DEVICE_FIELD_REF(struct front, hd, &host_device_ref), hd being what
 * host_device_open() gave. Fields of its own state, and, through the scheme, of what is behind it.
 */
extern const struct device_ref host_device_ref;

/* All schemes, for `info` and `help`. */
const struct host_scheme *host_scheme_find(const char *name);
void host_scheme_for_each(void (*fn)(void *opaque, const struct host_scheme *scheme), void *opaque);

/* Those that are open, of all VMs, in the order of their opening; under the lock. */
extern struct list_head host_devices;
extern struct spinlock host_devices_lock;

#endif
