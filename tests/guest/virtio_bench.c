/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What virtio costs, from the inside: a disk at 00:03.0, network cards at
 * 00:04.0 and 00:05.0 that one switch joins. TSC ticks, which are executed
 * instructions under QEMU's icount and in Bochs; the guest's own part, some tens
 * a request, is in them. tests/bench/ reads the lines `bench NAME NUMBER`.
 *
 * Spec: VIRTIO 1.2, 2.7 (split queues), 4.1 (PCI), 5.1, 5.2.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pci.h"

#include <string.h>

#define ROUNDS 200
#define DEPTH  32
#define SIZE   128 /* entries of a queue */
#define VECTOR 0x50

#define CAP_COMMON 1
#define CAP_NOTIFY 2

#define FEATURE_SELECT	 0x08
#define FEATURES	 0x0c
#define STATUS		 0x14
#define QUEUE_SELECT	 0x16
#define QUEUE_SIZE	 0x18
#define QUEUE_VECTOR	 0x1a
#define QUEUE_ENABLE	 0x1c
#define QUEUE_NOTIFY_OFF 0x1e
#define QUEUE_DESC	 0x20
#define QUEUE_DRIVER	 0x28
#define QUEUE_DEVICE	 0x30

#define NET_CSUM       BIT(0)
#define NET_GUEST_CSUM BIT(1)
#define NET_GUEST_TSO4 BIT(7)
#define NET_HOST_TSO4  BIT(11)
#define NET_MRG_RXBUF  BIT(15)
#define VERSION_1      BIT(32)

#define DESC_NEXT    1
#define DESC_WRITE   2
#define NO_INTERRUPT 1
#define NO_NOTIFY    1

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct queue {
	struct desc desc[SIZE];
	struct {
		uint16_t flags, idx, ring[SIZE];
	} avail;
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[SIZE];
	} used __aligned(4);
	uint16_t avail_next, used_next;
	uint64_t notify; /* the doorbell's address */
	uint16_t index;
	unsigned doorbells;
} __aligned(16);

struct function {
	uint64_t common, notify;
	uint32_t multiplier;
};

static struct queue disk, tx, rx;
static volatile unsigned interrupts;
static uint8_t data[2u << 20] __aligned(4096);
static uint8_t rx_data[SIZE][4096] __aligned(4096);

static struct {
	uint32_t type, reserved;
	uint64_t sector;
} headers[DEPTH];
static volatile uint8_t statuses[DEPTH];

static void on_interrupt(struct guest_frame *frame)
{
	(void)frame;
	interrupts++;
	apic_eoi();
}

/* The structures that its capabilities tell of. */
static struct function find(uint32_t pci)
{
	struct function f = {0};
	unsigned at, type;
	uint64_t address;

	for (at = pci_read(pci, PCI_CAPABILITIES, 1); at; at = pci_read(pci, at + 1, 1)) {
		if (pci_read(pci, at, 1) != PCI_CAP_VENDOR)
			continue;
		type = pci_read(pci, at + 3, 1);
		address = pci_bar(pci, pci_read(pci, at + 4, 1)) + pci_read(pci, at + 8, 4);
		if (type == CAP_COMMON)
			f.common = address;
		if (type == CAP_NOTIFY) {
			f.notify = address;
			f.multiplier = pci_read(pci, at + 16, 4);
		}
	}
	return f;
}

/* One vector for all queues. */
static void enable_msix(uint32_t pci)
{
	unsigned at = pci_cap(pci, PCI_CAP_MSIX);
	uint32_t table = pci_read(pci, at + 4, 4);
	uint64_t entry = pci_bar(pci, table & 7) + (table & ~7u);

	mmio_write(entry, PCI_MSG_ADDRESS);
	mmio_write(entry + 4, 0);
	mmio_write(entry + 8, VECTOR);
	mmio_write(entry + 12, 0);
	pci_write(pci, at + 2, 2, 0x8000);
}

static void write8(uint64_t at, uint8_t value)
{
	*(volatile uint8_t *)at = value;
}
static void write16(uint64_t at, uint16_t value)
{
	*(volatile uint16_t *)at = value;
}
static uint16_t read16(uint64_t at)
{
	return *(volatile uint16_t *)at;
}
static void write64(uint64_t at, const volatile void *address)
{
	mmio_write(at, (uint32_t)(uint64_t)address);
	mmio_write(at + 4, (uint32_t)((uint64_t)address >> 32));
}

static struct function begin(unsigned slot, uint64_t features)
{
	uint32_t pci = slot << 3;
	struct function f;

	pci_command(pci, PCI_COMMAND_MEM | PCI_COMMAND_BUS, 0);
	f = find(pci);
	CHECK(f.common && f.notify, "00:%02x.0 is no virtio function", slot);
	enable_msix(pci);
	write8(f.common + STATUS, 0);
	write8(f.common + STATUS, 3);
	features |= VERSION_1;
	mmio_write(f.common + FEATURE_SELECT, 0);
	mmio_write(f.common + FEATURES, (uint32_t)features);
	mmio_write(f.common + FEATURE_SELECT, 1);
	mmio_write(f.common + FEATURES, (uint32_t)(features >> 32));
	write8(f.common + STATUS, 11);
	return f;
}

static void add_queue(const struct function *f, struct queue *q, uint16_t index)
{
	memset(q, 0, sizeof(*q));
	q->index = index;
	write16(f->common + QUEUE_SELECT, index);
	write16(f->common + QUEUE_SIZE, SIZE);
	write16(f->common + QUEUE_VECTOR, 0);
	write64(f->common + QUEUE_DESC, q->desc);
	write64(f->common + QUEUE_DRIVER, &q->avail);
	write64(f->common + QUEUE_DEVICE, &q->used);
	q->notify = f->notify + read16(f->common + QUEUE_NOTIFY_OFF) * f->multiplier;
	write16(f->common + QUEUE_ENABLE, 1);
}

static void offer(struct queue *q, uint16_t head)
{
	q->avail.ring[q->avail_next++ % SIZE] = head;
	__atomic_store_n(&q->avail.idx, q->avail_next, __ATOMIC_RELEASE);
}

static void doorbell(struct queue *q)
{
	q->doorbells++;
	write16(q->notify, q->index);
}

/* Where the device wants to hear of it. */
static void notify(struct queue *q)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(READ_ONCE(q->used.flags) & NO_NOTIFY))
		doorbell(q);
}

/* Until @count more chains are back; by interrupts where they do not come at once. */
static void wait_for(struct queue *q, unsigned count)
{
	q->used_next += count;
	while ((int16_t)(READ_ONCE(q->used.idx) - q->used_next) < 0) {
		WRITE_ONCE(q->avail.flags, 0);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if ((int16_t)(READ_ONCE(q->used.idx) - q->used_next) < 0)
			irq_wait();
	}
	WRITE_ONCE(q->avail.flags, NO_INTERRUPT);
}

static void print(const char *name, uint64_t value)
{
	guest_printf("bench %s %llu\n", name, (unsigned long long)value);
}

/* Read request @n of @len bytes at any place of the disk's 8 MiB. */
static void add_read(unsigned n, uint32_t len)
{
	static uint32_t seed = 1;
	struct desc *d = &disk.desc[3 * n];

	seed = seed * 1103515245 + 12345;
	headers[n].type = 0;
	headers[n].sector = (uint64_t)(seed >> 8) % ((8u << 20) / len) * (len / 512);
	d[0] = (struct desc){(uint64_t)&headers[n], 16, DESC_NEXT, (uint16_t)(3 * n + 1)};
	d[1] = (struct desc){(uint64_t)data + n * 4096, len, DESC_NEXT | DESC_WRITE,
			     (uint16_t)(3 * n + 2)};
	d[2] = (struct desc){(uint64_t)&statuses[n], 1, DESC_WRITE, 0};
	statuses[n] = 0xee;
	offer(&disk, (uint16_t)(3 * n));
}

/* Ticks of a request, @depth of them at a time. */
static uint64_t reads(unsigned depth, uint32_t len, unsigned rounds)
{
	uint64_t start = 0;
	unsigned i, n;

	for (i = 0; i < rounds + 4; i++) {
		if (i == 4) {
			start = rdtsc();
			disk.doorbells = 0;
		}
		for (n = 0; n < depth; n++)
			add_read(n, len);
		notify(&disk);
		wait_for(&disk, depth);
		for (n = 0; n < depth; n++)
			CHECK(!statuses[n], "status %u", statuses[n]);
	}
	return (rdtsc() - start) / (rounds * depth);
}

GUEST_TEST(disk_costs)
{
	struct function f;
	uint64_t start;
	unsigned i;

	apic_enter_x2();
	apic_enable();
	guest_set_handler(VECTOR, on_interrupt);
	f = begin(3, 0);
	add_queue(&f, &disk, 0);
	write8(f.common + STATUS, 15);
	disk.avail.flags = NO_INTERRUPT;
	doorbell(&disk);
	start = rdtsc();
	for (i = 0; i < ROUNDS; i++)
		doorbell(&disk);
	print("blk_doorbell", (rdtsc() - start) / ROUNDS);
	print("blk_read_4k", reads(1, 4096, ROUNDS));
	print("blk_read_4k_deep", reads(DEPTH, 4096, ROUNDS / 10));
	print("blk_requests_per_exit", ROUNDS / 10 * DEPTH / MAX(disk.doorbells, 1u));
	print("blk_read_1m", reads(1, 1u << 20, 10));
}

static void refill(unsigned n)
{
	rx.desc[n] = (struct desc){(uint64_t)rx_data[n], sizeof(rx_data[n]), DESC_WRITE, 0};
	offer(&rx, (uint16_t)n);
}

/* What came is given back. */
static void drain(uint16_t from)
{
	for (; from != rx.used_next; from++)
		refill(rx.used.ring[from % SIZE].id);
	notify(&rx);
}

/* Rounds of @count frames of @len bytes, which take @buffers each where they arrive. */
static uint64_t frames(unsigned count, uint32_t len, unsigned buffers, unsigned rounds)
{
	uint64_t start = 0;
	unsigned i, n;

	for (i = 0; i < rounds + 4; i++) {
		uint16_t from = rx.used_next;

		if (i == 4) {
			start = rdtsc();
			tx.doorbells = rx.doorbells = 0;
		}
		for (n = 0; n < count; n++) {
			tx.desc[n] = (struct desc){(uint64_t)data, len + 12, 0, 0};
			offer(&tx, (uint16_t)n);
		}
		notify(&tx);
		wait_for(&rx, count * buffers);
		wait_for(&tx, count);
		drain(from);
	}
	return (rdtsc() - start) / (rounds * count);
}

/* To card 5, whose address does not matter: the switch does not know it. */
static void make_frame(uint32_t len, bool tso)
{
	static const uint8_t start[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,	  0,
					0,    0,    0,	  4,	8,    0,    0x45, 0};

	memset(data, 0, len + 12);
	memcpy(data + 12, start, sizeof(start));
	data[12 + 23] = 6;
	data[12 + 34 + 12] = 0x50;
	if (!tso)
		return;
	data[0] = 1; /* a sum to be made, from the TCP header on … */
	data[6] = 34;
	data[8] = 16;
	data[1] = 1; /* … in segments */
	data[4] = 1448 & 0xff;
	data[5] = 1448 >> 8;
}

GUEST_TEST(net_costs)
{
	const uint64_t features =
		NET_CSUM | NET_GUEST_CSUM | NET_GUEST_TSO4 | NET_HOST_TSO4 | NET_MRG_RXBUF;
	struct function from = begin(4, features), to = begin(5, features);
	static struct queue unused[2];
	unsigned n;

	add_queue(&from, &unused[0], 0);
	add_queue(&from, &tx, 1);
	add_queue(&to, &rx, 0);
	add_queue(&to, &unused[1], 1);
	write8(from.common + STATUS, 15);
	write8(to.common + STATUS, 15);
	rx.avail.flags = tx.avail.flags = NO_INTERRUPT;
	for (n = 0; n < SIZE; n++)
		refill(n);
	notify(&rx);
	make_frame(1514, false);
	print("net_frame_1514", frames(DEPTH, 1514, 1, ROUNDS / 10));
	print("net_frames_per_exit", ROUNDS / 10 * DEPTH / MAX(tx.doorbells + rx.doorbells, 1u));
	make_frame(60054, true);
	print("net_frame_60054", frames(2, 60054, 15, ROUNDS / 10));
	print("net_bytes_per_exit",
	      ROUNDS / 10 * 2 * 60054ull / MAX(tx.doorbells + rx.doorbells, 1u));
}
