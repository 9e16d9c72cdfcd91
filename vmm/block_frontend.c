/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/block_frontend.h"

#include "kernel/task.h"

#include <errno.h>
#include <string.h>

const struct frontend_kind block_frontend_kind = {.name = "block"};

static const struct block_backend_ops *block_backend(const struct backend_ops *ops)
{
	return container_of(ops, const struct block_backend_ops, base);
}

static void block_frontend_changed(struct frontend *base)
{
	struct block_frontend *frontend = container_of(base, struct block_frontend, base);

	if (frontend->changed)
		frontend->changed(frontend->opaque);
}

/* No new request reaches @ops any more. */
static void block_frontend_drain(struct frontend *base, const struct backend_ops *ops, void *opaque)
{
	struct block_frontend *frontend = container_of(base, struct block_frontend, base);

	block_backend(ops)->cancel(opaque);
	while (__atomic_load_n(&frontend->in_flight, __ATOMIC_ACQUIRE))
		task_yield();
	block_frontend_changed(base);
}

void block_frontend_init(struct block_frontend *frontend)
{
	spinlock_init(&frontend->base.lock);
	frontend->base.kind = &block_frontend_kind;
	frontend->base.attached = block_frontend_changed;
	frontend->base.drain = block_frontend_drain;
}

bool block_info(struct block_frontend *frontend, struct block_info *info)
{
	const struct backend_ops *ops;

	memset(info, 0, sizeof(*info));
	spin_lock(&frontend->base.lock);
	ops = frontend->base.backend;
	if (ops)
		block_backend(ops)->info(frontend->base.backend_opaque, info);
	spin_unlock(&frontend->base.lock);
	return ops;
}

/* Whether the pieces are as long as the request; each is shorter than what is left. */
static bool block_pieces_fit(const struct block_request *request)
{
	uint64_t left = request->bytes;
	size_t i;

	for (i = 0; i < request->piece_count; i++) {
		if (!request->pieces[i].len || request->pieces[i].len > left)
			return false;
		left -= request->pieces[i].len;
	}
	return !left;
}

/* Most that a request of @op may have; 0: none is taken. */
static uint64_t block_op_max(const struct block_info *info, enum block_op op)
{
	switch (op) {
	case BLOCK_READ:
	case BLOCK_WRITE:
		return info->capacity;
	case BLOCK_DISCARD:
		return info->discard_max;
	case BLOCK_WRITE_ZEROES:
		return info->zeroes_max;
	case BLOCK_FLUSH:
		break;
	}
	return 0;
}

static int block_check(const struct block_info *info, const struct block_request *request)
{
	uint64_t max = block_op_max(info, request->op);

	if (request->op == BLOCK_FLUSH)
		return request->bytes ? -EINVAL : 0;
	if (request->op != BLOCK_READ && info->read_only)
		return -EROFS;
	if (!max)
		return -EOPNOTSUPP;
	if (!request->bytes || request->bytes > max || request->offset > info->capacity ||
	    request->bytes > info->capacity - request->offset ||
	    (request->offset | request->bytes) % info->block_size)
		return -EINVAL;
	if (request->op <= BLOCK_WRITE && !block_pieces_fit(request))
		return -EINVAL;
	return 0;
}

int block_submit(struct block_frontend *frontend, struct block_request *request)
{
	const struct backend_ops *ops;
	struct block_info info;
	void *opaque;
	int err = -ENODEV;

	spin_lock(&frontend->base.lock);
	ops = frontend->base.backend;
	opaque = frontend->base.backend_opaque;
	if (ops) {
		block_backend(ops)->info(opaque, &info);
		err = block_check(&info, request);
	}
	if (!err)
		__atomic_add_fetch(&frontend->in_flight, 1, __ATOMIC_RELAXED);
	spin_unlock(&frontend->base.lock);
	if (err)
		return err;
	request->frontend = frontend;
	request->moved = 0;
	err = block_backend(ops)->submit(opaque, request);
	if (err != BLOCK_PENDING)
		__atomic_sub_fetch(&frontend->in_flight, 1, __ATOMIC_RELEASE);
	return err;
}

void block_done(struct block_request *request, int err)
{
	/* The request may be gone after done(), the frontend after the count. */
	struct block_frontend *frontend = request->frontend;

	request->done(request, err);
	__atomic_sub_fetch(&frontend->in_flight, 1, __ATOMIC_RELEASE);
}
