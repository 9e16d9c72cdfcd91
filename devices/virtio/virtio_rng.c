/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-rng: a source of random numbers, those of kernel/random.h.
 *
 * Spec: VIRTIO 1.2, 5.4. One queue of buffers to be filled.
 * Arguments: rate, and those of all virtio devices.
 * Lock: the queue's over everything below.
 */
#include "devices/hostdev/host_args.h"
#include "devices/virtio/virtio_saved.h"
#include "kernel/random.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "vmm/device.h"
#include "vmm/vm.h"

#include <errno.h>

#define RNG_CLASS	0x00ff00 /* of no class */
#define RNG_QUEUE	64
#define RNG_PIECES	16
#define RNG_TURN	16   /* chains that are filled before others get the CPU */
#define RNG_CHAIN_BYTES 1024 /* of one chain: the driver takes what it gets (5.4.6.2) */
#define RNG_RATE_BYTES	64   /* that a driver with a rate waits for at least */

struct virtio_rng {
	struct virtio virtio;
	struct device_timer *timer; /* NULL: no rate */
	uint64_t rate;		    /* bytes a second; 0: as many as it asks for */
	uint64_t credit;	    /* bytes that it may have at once, up to a second's */
	uint64_t counted;	    /* vm_time_ns() up to which credit is */
};

static struct virtio_rng *rng_of(struct virtio *v)
{
	return container_of(v, struct virtio_rng, virtio);
}

static uint64_t rng_now(const struct virtio_rng *rng)
{
	return vm_time_ns(rng->virtio.hd->owner->vm);
}

/* The most that it may have at once. */
static uint64_t rng_credit_max(const struct virtio_rng *rng)
{
	return MAX(rng->rate, (uint64_t)RNG_RATE_BYTES);
}

/* How many bytes the driver may have now. 0: none, and the timer says when. */
static uint32_t rng_allowance(struct virtio_rng *rng)
{
	uint64_t now, passed, bytes;

	if (!rng->rate)
		return RNG_CHAIN_BYTES;
	now = rng_now(rng);
	/* A second's at most: no product is too large. */
	passed = MIN(now - rng->counted, NSEC_PER_SEC);
	bytes = passed * rng->rate / NSEC_PER_SEC;
	if (bytes) {
		rng->credit = MIN(rng->credit + bytes, rng_credit_max(rng));
		rng->counted = now;
	}
	if (rng->credit < RNG_RATE_BYTES) {
		device_timer_arm(rng->timer, now + RNG_RATE_BYTES * NSEC_PER_SEC / rng->rate + 1);
		return 0;
	}
	return (uint32_t)MIN(rng->credit, (uint64_t)RNG_CHAIN_BYTES);
}

static void rng_fill(struct virtio_rng *rng, struct virtq *q, struct virtq_chain *chain,
		     uint32_t allowance)
{
	uint32_t n, done;

	for (done = 0; done < allowance && chain->in.count; done += n) {
		n = (uint32_t)MIN(chain->in.pieces->len, (size_t)(allowance - done));
		random_bytes(chain->in.pieces->data, n);
		chain->in.pieces++;
		chain->in.count--;
	}
	if (rng->rate)
		rng->credit -= done;
	virtq_push(q, chain, done);
}

static void rng_notify(struct virtio *v, struct virtq *q)
{
	union virtq_piece pieces[RNG_PIECES];
	struct virtq_chain chain = {.pieces = pieces, .room = RNG_PIECES};
	struct virtio_rng *rng = rng_of(v);
	unsigned left = RNG_TURN;
	uint32_t allowance = 0;

	spin_lock(&q->lock);
	/* A queue that stands still is no reason to arm a timer, which may be about to go. */
	while (q->live) {
		virtq_disarm(q);
		for (; left; left--) {
			allowance = rng_allowance(rng);
			if (!allowance || virtq_pop(q, &chain) <= 0)
				break;
			rng_fill(rng, q, &chain, allowance);
		}
		virtq_flush(q);
		if (!left || !allowance || !virtq_arm(q))
			break;
	}
	if (!left)
		virtq_kick(q);
	spin_unlock(&q->lock);
}

static void rng_timer(void *opaque)
{
	struct virtio_rng *rng = opaque;

	rng_notify(&rng->virtio, &rng->virtio.queues[0]);
}

static const struct virtio_ops rng_ops = {
	.id = VIRTIO_ID_ENTROPY,
	.class_code = RNG_CLASS,
	.notify = rng_notify,
};

static int rng_open(struct host_device *hd, const char *path __unused, const struct host_args *args)
{
	static const uint16_t sizes[] = {RNG_QUEUE};
	const struct virtio_shape shape = {.ops = &rng_ops, .queue_count = 1, .queue_sizes = sizes};
	struct virtio_rng *rng = kzalloc(sizeof(*rng));
	int err;

	if (!rng)
		return -ENOMEM;
	random_init();
	err = virtio_open(&rng->virtio, hd, &shape);
	if (err)
		goto free;
	virtio_take_args(&rng->virtio, args);
	rng->rate = host_args_uint(args, "rate");
	rng->credit = rng_credit_max(rng);
	rng->counted = rng_now(rng);
	if (rng->rate)
		err = device_timer(hd->owner, rng_timer, rng, &rng->timer);
	if (!err)
		return 0;
	virtio_close(&rng->virtio);
free:
	kfree(rng);
	return err;
}

static void rng_close(struct host_device *hd)
{
	struct virtio_rng *rng = rng_of(hd->state);

	virtio_close(&rng->virtio);
	kfree(rng);
}

static const char *rng_check(const void *state)
{
	const struct virtio_rng *rng = state;

	return rng->credit > rng_credit_max(rng) ? "credit" : NULL;
}

static const struct device_field rng_fields[] = {
	VIRTIO_SAVED_FIELD(struct virtio_rng),
	DEVICE_FIELD_TIMER(struct virtio_rng, timer),
	DEVICE_FIELD(struct virtio_rng, credit),
	DEVICE_FIELD(struct virtio_rng, counted),
	{},
};

static const struct device_state rng_saved = {
	.name = "virtio-rng",
	.version = 1,
	.size = sizeof(struct virtio_rng),
	.fields = rng_fields,
	.check = rng_check,
};

static const struct device_key rng_args[] = {
	{.name = "rate",
	 .kind = KEY_SIZE,
	 .def = "0",
	 .max = UINT64_C(1) << 32,
	 .help = "bytes a second that the guest may have, 0: no limit"},
	VIRTIO_ARGS,
	{},
};

HOST_SCHEME(rng_scheme, .name = "virtio-rng", .help = "a source of random numbers", VIRTIO_SCHEME,
	    .keys = rng_args, .open = rng_open, .close = rng_close, .saved = &rng_saved);
