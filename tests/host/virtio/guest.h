/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with a driver for virtio devices: a front that shows one host device
 * to VM `a` of tests/host/backend/world.h, RAM that lies in pieces for us, and a
 * driver of queues, split and packed, that can also be told to do wrong.
 */
#ifndef TESTS_HOST_VIRTIO_GUEST_H
#define TESTS_HOST_VIRTIO_GUEST_H

#include "devices/hostdev/host_device.h"
#include "devices/virtio/virtio.h"
#include "tests/host/backend/world.h"

#include <stdbool.h>
#include <stdint.h>

#define GUEST_RAM    UINT64_C(0xc00000) /* six granules, apart from each other for us */
#define GUEST_QUEUES 8			/* of the driver's */

/* The front, as the tests set and see it. */
extern struct guest_front {
	struct host_device *hd;
	struct device *dev; /* its id: "card" */
	bool master;
	enum host_irq_mode mode;
	unsigned messages[VIRTIO_QUEUES_MAX + 1]; /* per vector */
	bool intx;
	unsigned intx_edges; /* how often it rose */
	bool gone;	     /* nobody may call it any more */
} front;

/* The VM, with the device of @url; NULL when that is refused. Ends with guest_end(). */
struct host_device *guest_start(const char *url);
void guest_end(void);
/* The device again, in the same VM: NULL as above. */
struct host_device *guest_plug(const char *url);
void guest_unplug(void);

/* RAM at @gpa: where it is for us, within a granule. */
void *guest_at(gpa_t gpa);
void guest_put(gpa_t gpa, const void *data, size_t len);
void guest_get(gpa_t gpa, void *data, size_t len);

/* Where the driver found the structures: by the capabilities. */
struct guest_place {
	unsigned bar;
	uint32_t offset, length;
};
extern struct guest_places {
	struct guest_place common, isr, config, notify;
	uint32_t notify_multiplier;
	unsigned window; /* the capability's offset */
	unsigned vectors;
} places;

uint64_t common_in(unsigned reg, unsigned width);
void common_out(unsigned reg, unsigned width, uint64_t value);
uint64_t config_in(unsigned offset, unsigned width);
void config_out(unsigned offset, unsigned width, uint64_t value);
uint8_t isr_in(void);
void notify_out(uint32_t offset, uint16_t value);
/* Registers of the common configuration. */
enum {
	COMMON_DFSELECT = 0,
	COMMON_DF = 4,
	COMMON_GFSELECT = 8,
	COMMON_GF = 12,
	COMMON_MSIX = 16,
	COMMON_NUMQ = 18,
	COMMON_STATUS = 20,
	COMMON_GENERATION = 21,
	COMMON_Q_SELECT = 22,
	COMMON_Q_SIZE = 24,
	COMMON_Q_MSIX = 26,
	COMMON_Q_ENABLE = 28,
	COMMON_Q_NOFF = 30,
	COMMON_Q_DESC = 32,
	COMMON_Q_DRIVER = 40,
	COMMON_Q_DEVICE = 48,
};

/* The driver (guest_driver.c). */

struct guest_buf {
	gpa_t gpa;
	uint32_t len;
};

struct guest_queue {
	unsigned index;
	uint16_t size;
	bool packed, event_index;
	gpa_t desc, driver, device;
	uint32_t notify; /* offset in its BAR */
	uint16_t vector;
	/* Split: where the next available entry and used entry are; packed: positions. */
	uint16_t avail, used;
	bool avail_wrap, used_wrap;
	uint16_t kicked; /* avail when the device was last asked whether it wants to hear */
	uint16_t free;	 /* descriptors */
	uint16_t next;	 /* split: the descriptor that is tried first */
	uint16_t lengths[VIRTQ_SIZE_MAX]; /* descriptors of a chain, by id; 0: it is free */
	bool held[VIRTQ_SIZE_MAX];	  /* split: the descriptor is in a chain */
};

extern struct guest_queue guest_queues[GUEST_QUEUES];

/* Reset, ACKNOWLEDGE, DRIVER, @features (and VERSION_1), FEATURES_OK: whether that stays. */
bool guest_negotiate(uint64_t features);
uint64_t guest_offered(void);
/*
 * Queue @index of @size entries (0: as many as it may have), its parts at @desc and
 * what follows, each on a page; vector @vector. Enabled.
 */
struct guest_queue *guest_queue_init(unsigned index, uint16_t size, gpa_t desc, uint16_t vector);
/* The same with parts anywhere. */
struct guest_queue *guest_queue_init_at(unsigned index, uint16_t size, const gpa_t parts[3],
					uint16_t vector);
void guest_driver_ok(void);
uint8_t guest_status(void);
/* All of it: the first @queues with MSI-X vectors 1…, the configuration's 0. */
void guest_drive(uint64_t features, unsigned queues);

/*
 * Makes a chain available: @out buffers to read, then @in to write, of @bufs.
 * @table: an indirect table there; 0: none. Its id; the test ends when there is no room.
 */
uint16_t guest_add(struct guest_queue *q, const struct guest_buf *bufs, unsigned out, unsigned in,
		   gpa_t table);
/* The id that the next one will have. */
uint16_t guest_next_id(struct guest_queue *q);
/* Whether the device wants to be notified of what was made available since this was last asked. */
bool guest_wants_kick(struct guest_queue *q);
/* Notifies, if the device wants it; whether it did. */
bool guest_kick(struct guest_queue *q);
void guest_notify(const struct guest_queue *q); /* all the same */
/* The next used chain; false: there is none. */
bool guest_used(struct guest_queue *q, uint16_t *id, uint32_t *len);
/* Wants an interrupt for the next used chain, or none. */
void guest_want_interrupt(struct guest_queue *q, bool on);

/* Hand-made descriptors, for what no driver would write: of the ring, or of a table. */
void guest_write_desc(gpa_t table, unsigned index, uint64_t addr, uint32_t len, uint16_t flags,
		      uint16_t next);
void guest_write_packed(gpa_t table, unsigned index, uint64_t addr, uint32_t len, uint16_t id,
			uint16_t flags);
/* Split: makes what is at @head available; the driver's count goes on by @step. */
void guest_offer(struct guest_queue *q, uint16_t head, uint16_t step);
/* Packed: the flags that make a descriptor available in this round, in the next, … */
uint16_t guest_avail_flags(const struct guest_queue *q);

#endif
