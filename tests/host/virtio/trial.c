/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/virtio/trial.h"

#include "devices/hostdev/host_args.h"
#include "kernel/slab.h"
#include "vmm/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct trial *trial;

static struct trial *trial_of(struct virtio *v)
{
	return container_of(v, struct trial, virtio);
}

static void trial_echo(struct virtq *q, struct virtq_chain *chain)
{
	uint32_t bytes = MIN(chain->out.bytes, chain->in.bytes);
	uint8_t buf[4096];
	uint32_t n, done;

	for (done = 0; done < bytes; done += n) {
		n = MIN(bytes - done, (uint32_t)sizeof(buf));
		assert_int_equal(virtq_span_read(&chain->out, buf, n), n);
		assert_int_equal(virtq_span_write(&chain->in, buf, n), n);
	}
	virtq_push(q, chain, bytes);
}

static void trial_keep(struct trial *t, struct virtq *q, const struct virtq_chain *chain)
{
	struct trial_kept *kept = &t->kept[t->kept_count++];

	assert_true(t->kept_count <= TRIAL_KEPT);
	memcpy(kept->pieces, chain->pieces, sizeof(kept->pieces));
	kept->q = q;
	kept->chain = *chain;
	kept->chain.out.pieces = kept->pieces;
	kept->chain.in.pieces = kept->pieces + chain->out.count;
}

static void trial_notify(struct virtio *v, struct virtq *q)
{
	struct trial *t = trial_of(v);
	union virtq_piece pieces[TRIAL_PIECES];
	struct virtq_chain chain = {.pieces = pieces, .room = TRIAL_PIECES};
	unsigned left = t->turn ? t->turn : UINT32_MAX;

	spin_lock(&q->lock);
	t->notified++;
	do {
		virtq_disarm(q);
		while (left && (t->last_error = virtq_pop(q, &chain)) > 0) {
			left--;
			if (t->keep)
				trial_keep(t, q, &chain);
			else
				trial_echo(q, &chain);
		}
		virtq_flush(q);
	} while (left && virtq_arm(q));
	if (!left)
		virtq_kick(q);
	spin_unlock(&q->lock);
}

void trial_finish(unsigned n)
{
	struct trial_kept kept = trial->kept[n];

	assert_true(n < trial->kept_count);
	kept.chain.out.pieces = kept.pieces;
	kept.chain.in.pieces = kept.pieces + kept.chain.out.count;
	trial->kept_count--;
	for (; n < trial->kept_count; n++) {
		trial->kept[n] = trial->kept[n + 1];
		trial->kept[n].chain.out.pieces = trial->kept[n].pieces;
		trial->kept[n].chain.in.pieces =
			trial->kept[n].pieces + trial->kept[n].chain.out.count;
	}
	spin_lock(&kept.q->lock);
	if (kept.q->live)
		trial_echo(kept.q, &kept.chain);
	else
		virtq_push(kept.q, &kept.chain, 0);
	virtq_flush(kept.q);
	spin_unlock(&kept.q->lock);
}

static bool trial_accept(const struct virtio *v, uint64_t features)
{
	(void)v;
	return !((features & TRIAL_FEATURE) && (features & TRIAL_REFUSED));
}

static void trial_start(struct virtio *v)
{
	trial_of(v)->starts++;
}

static void trial_stop(struct virtio *v)
{
	struct trial *t = trial_of(v);

	t->stops++;
	while (t->kept_count && !t->stubborn)
		trial_finish(0);
}

static void trial_reset(struct virtio *v)
{
	struct trial *t = trial_of(v);

	assert_int_equal(t->kept_count, 0);
	t->resets++;
}

static void trial_config_write(struct virtio *v, unsigned offset, unsigned width, uint64_t value)
{
	memcpy(v->config + offset, &value, width);
}

static const struct virtio_ops trial_ops = {
	.id = 42,
	.class_code = 0x00ff00,
	.accept = trial_accept,
	.start = trial_start,
	.stop = trial_stop,
	.reset = trial_reset,
	.notify = trial_notify,
	.config_write = trial_config_write,
};

static int trial_open(struct host_device *hd, const char *path, const struct host_args *args)
{
	static const uint16_t sizes[TRIAL_QUEUES] = {64, 1024, 8};
	struct virtio_shape shape = {.ops = &trial_ops,
				     .features = TRIAL_FEATURE | TRIAL_REFUSED,
				     .queue_count = TRIAL_QUEUES,
				     .queue_sizes = sizes};
	struct trial *t = kzalloc(sizeof(*t));
	int err;

	(void)path;
	if (!t)
		return -12;
	memcpy(t->config, "configurable", sizeof(t->config));
	shape.config = t->config;
	shape.config_size = sizeof(t->config);
	err = virtio_open(&t->virtio, hd, &shape);
	if (err)
		kfree(t);
	else
		trial = t;
	if (!err)
		virtio_take_args(&t->virtio, args);
	return err;
}

static void trial_close(struct host_device *hd)
{
	assert_ptr_equal(hd->state, &trial->virtio);
	virtio_close(&trial->virtio);
	kfree(trial);
	trial = NULL;
}

static const struct device_key trial_args[] = {VIRTIO_ARGS, {}};

HOST_SCHEME(trial_scheme, .name = "virtio-trial", .help = "for tests", VIRTIO_SCHEME,
	    .keys = trial_args, .open = trial_open, .close = trial_close);
