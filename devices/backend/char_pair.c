/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A null-modem cable: joins two serial ports, of one VM or of two. The two
 * char-pair devices of one `name` are its ends; they come and go in any order.
 * What one guest sends, breaks included, waits in a ring until the other takes
 * it, and a full ring makes the sender's port busy. DTR is the other's DSR and
 * DCD, RTS its CTS, as in a cable with all its wires; while nobody is at the
 * other end these are off, and what is sent is lost.
 *
 * Keys: frontend, name.
 * Locks: `cables_lock` over the list, the names and who has which end. A
 * cable's own lock over all that moves; it is taken with a frontend's lock held,
 * and with it none other is taken. So nobody is ever called with it: a worker
 * carries the bytes from a ring to the other frontend.
 *
 * A cable lives while it has an end or its work is queued. The worker uses a
 * frontend between two of its CPU's quiescent points, for which that one stays.
 */
#include "kernel/grace.h"
#include "kernel/slab.h"
#include "kernel/work.h"
#include "lib/list.h"
#include "lib/ring.h"
#include "vmm/char_frontend.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CABLE_NAME_MAX 63
#define CABLE_RING     4096
#define CABLE_PIECE    256 /* bytes that a frontend is offered at once */
#define CABLE_TURN     16  /* pieces before others get the CPU */

enum cable_work { CABLE_IDLE, CABLE_QUEUED, CABLE_AGAIN };

struct cable_end {
	struct cable *cable;
	struct device *dev; /* NULL: nobody has this end; under cables_lock */
	/* Under the cable's lock: */
	struct char_frontend *frontend; /* NULL: not yet, or no more */
	bool dtr, rts;
	bool modem_news; /* this end's frontend does not know the other's lines */
	bool refused;	 /* some of its guest's output was */
	bool breaks;	 /* its guest sent a break: when the ring's tail is at break_at */
	size_t break_at;
	struct ring ring; /* what its guest sent */
	char data[CABLE_RING];
};

struct cable {
	struct list_head link;
	unsigned refs; /* atomic: ends and queued work */
	struct spinlock lock;
	enum cable_work state;
	struct work work;
	struct cable_end ends[2];
	char name[CABLE_NAME_MAX + 1];
};

static struct spinlock cables_lock = SPINLOCK_INIT;
static struct list_head cables = LIST_HEAD_INIT(cables);

static struct cable_end *cable_other(struct cable_end *end)
{
	return &end->cable->ends[end == &end->cable->ends[0]];
}

static void cable_put(struct cable *cable)
{
	if (!__atomic_sub_fetch(&cable->refs, 1, __ATOMIC_ACQ_REL))
		kfree(cable);
}

/* There is something to carry. Under the lock. */
static void cable_kick(struct cable *cable)
{
	if (cable->state != CABLE_IDLE) {
		cable->state = CABLE_AGAIN;
		return;
	}
	cable->state = CABLE_QUEUED;
	__atomic_add_fetch(&cable->refs, 1, __ATOMIC_RELAXED);
	work_queue(&cable->work);
}

/* The worker: only it takes bytes out of the rings while there is someone to take them. */

/* The lines of the other end, where they are news. */
static void cable_carry_modem(struct cable_end *to)
{
	struct cable_end *from = cable_other(to);
	struct char_frontend *frontend;
	bool ready, clear;

	spin_lock(&to->cable->lock);
	frontend = to->modem_news ? to->frontend : NULL;
	to->modem_news = false;
	ready = from->frontend && from->dtr;
	clear = from->frontend && from->rts;
	spin_unlock(&to->cable->lock);
	if (frontend && frontend->input_modem)
		frontend->input_modem(frontend->opaque, ready, clear);
}

/* How many of the ring's oldest bytes come before a break. Under the lock. */
static size_t cable_before_break(const struct cable_end *from)
{
	return from->breaks ? from->break_at - from->ring.tail : CABLE_RING;
}

/* A sender that was refused something can send again. */
static void cable_carry_ready(struct cable_end *from)
{
	struct char_frontend *frontend = NULL;

	spin_lock(&from->cable->lock);
	if (from->refused && ring_space(&from->ring)) {
		from->refused = false;
		frontend = from->frontend;
	}
	spin_unlock(&from->cable->lock);
	if (frontend)
		frontend->output_ready(frontend->opaque);
}

/* Some bytes to @to, or a break: whether it took them all, and may take more. */
static bool cable_carry_piece(struct cable_end *to)
{
	struct cable_end *from = cable_other(to);
	struct spinlock *lock = &to->cable->lock;
	struct char_frontend *frontend;
	uint8_t data[CABLE_PIECE];
	size_t n, taken, tail;
	bool breaks;

	spin_lock(lock);
	frontend = to->frontend;
	tail = from->ring.tail;
	n = ring_peek(&from->ring, tail, data, MIN(sizeof(data), cable_before_break(from)));
	breaks = from->breaks && !n;
	if (breaks)
		from->breaks = false;
	spin_unlock(lock);
	if (!frontend || (!n && !breaks))
		return false;
	if (breaks) {
		frontend->input_break(frontend->opaque);
		return true;
	}
	taken = frontend->input(frontend->opaque, data, n);
	spin_lock(lock);
	/* It has moved when @to left meanwhile. */
	if (from->ring.tail == tail)
		from->ring.tail += taken;
	spin_unlock(lock);
	return taken == n;
}

static void cable_carry(struct work *work)
{
	struct cable *cable = container_of(work, struct cable, work);
	unsigned i, turn, more = 2;
	bool again;

	spin_lock(&cable->lock);
	cable->state = CABLE_QUEUED;
	spin_unlock(&cable->lock);
	for (i = 0; i < 2; i++)
		cable_carry_modem(&cable->ends[i]);
	for (turn = 0; turn < CABLE_TURN && more; turn++)
		for (i = 0, more = 0; i < 2; i++) {
			more += cable_carry_piece(&cable->ends[i]);
			cable_carry_ready(&cable->ends[!i]);
		}
	spin_lock(&cable->lock);
	again = more || cable->state == CABLE_AGAIN;
	cable->state = again ? CABLE_QUEUED : CABLE_IDLE;
	spin_unlock(&cable->lock);
	if (again)
		work_queue(work);
	else
		cable_put(cable);
}

/* From the guest: under the frontend's lock. */

static size_t char_pair_output(void *opaque, const uint8_t *data, size_t len)
{
	struct cable_end *end = opaque;
	struct cable *cable = end->cable;
	size_t taken = len;

	spin_lock(&cable->lock);
	if (cable_other(end)->frontend) {
		taken = ring_put(&end->ring, data, len);
		end->refused |= taken < len;
		cable_kick(cable);
	}
	spin_unlock(&cable->lock);
	return taken;
}

static void char_pair_input_ready(void *opaque)
{
	struct cable_end *end = opaque;

	spin_lock(&end->cable->lock);
	cable_kick(end->cable);
	spin_unlock(&end->cable->lock);
}

/* A break passes behind what was sent before it; one that still waits is the same break. */
static void char_pair_set_break(void *opaque, bool on)
{
	struct cable_end *end = opaque;

	spin_lock(&end->cable->lock);
	if (on && !end->breaks && cable_other(end)->frontend) {
		end->breaks = true;
		end->break_at = end->ring.head;
		cable_kick(end->cable);
	}
	spin_unlock(&end->cable->lock);
}

static void char_pair_modem(void *opaque, bool dtr, bool rts)
{
	struct cable_end *end = opaque;

	spin_lock(&end->cable->lock);
	end->dtr = dtr;
	end->rts = rts;
	cable_other(end)->modem_news = true;
	cable_kick(end->cable);
	spin_unlock(&end->cable->lock);
}

/*
 * @frontend is at @end now, or nobody (NULL): what was on its way to it is lost
 * then. What it has sent itself still arrives.
 */
static void cable_plug(struct cable_end *end, struct char_frontend *frontend)
{
	struct cable_end *other = cable_other(end);

	spin_lock(&end->cable->lock);
	end->frontend = frontend;
	if (!frontend) {
		other->ring.tail = other->ring.head;
		other->breaks = false;
		end->dtr = end->rts = end->refused = false;
	}
	end->modem_news = other->modem_news = true;
	cable_kick(end->cable);
	spin_unlock(&end->cable->lock);
}

static void char_pair_gone(void *opaque)
{
	cable_plug(opaque, NULL);
}

static const struct char_backend_ops char_pair_ops = {
	.base.gone = char_pair_gone,
	.output = char_pair_output,
	.input_ready = char_pair_input_ready,
	.set_break = char_pair_set_break,
	.modem = char_pair_modem,
};

/* Ends. */

/* The cable of that name, or @fresh, which then is. Under cables_lock. */
static struct cable *cable_find(const char *name, struct cable *fresh)
{
	struct cable *cable;

	list_for_each_entry (cable, &cables, link)
		if (!strcmp(cable->name, name))
			return cable;
	list_add_tail(&fresh->link, &cables);
	return fresh;
}

static struct cable *cable_new(const char *name)
{
	struct cable *cable = kzalloc(sizeof(*cable));
	unsigned i;

	if (!cable)
		return NULL;
	strcpy(cable->name, name); /* char_pair_create() knows its length */
	list_init(&cable->link);
	work_init(&cable->work, cable_carry);
	for (i = 0; i < 2; i++) {
		cable->ends[i].cable = cable;
		ring_init(&cable->ends[i].ring, cable->ends[i].data, CABLE_RING);
	}
	return cable;
}

/* A free end of the cable @name. -EBUSY: both are taken, @taken says by whom. */
static int cable_join(struct device *dev, const char *name, struct cable_end **out, char *taken,
		      size_t size)
{
	struct cable *cable, *fresh = cable_new(name);
	struct cable_end *end;
	int err = 0;

	if (!fresh)
		return -ENOMEM;
	spin_lock(&cables_lock);
	cable = cable_find(name, fresh);
	end = &cable->ends[cable->ends[0].dev ? 1 : 0];
	if (end->dev) {
		err = -EBUSY;
		snprintf(taken, size, "%s of VM %s and %s of VM %s", cable->ends[0].dev->id,
			 cable->ends[0].dev->vm->name, end->dev->id, end->dev->vm->name);
	} else {
		end->dev = dev;
		__atomic_add_fetch(&cable->refs, 1, __ATOMIC_RELAXED);
	}
	spin_unlock(&cables_lock);
	if (cable != fresh)
		kfree(fresh);
	*out = end;
	return err;
}

/* A resource: goes after the connection, so that the guest sends nothing any more. */
static void cable_leave(void *opaque)
{
	struct cable_end *end = opaque;
	struct cable *cable = end->cable;
	struct char_frontend *frontend = end->frontend;

	cable_plug(end, NULL);
	/* Without a cable that has lines, they are as before; not before a worker that is on its
	 * way with the other end's has told them. */
	if (frontend && frontend->input_modem) {
		grace_synchronize();
		frontend->input_modem(frontend->opaque, true, true);
	}
	spin_lock(&cables_lock);
	end->dev = NULL;
	if (!cable_other(end)->dev)
		list_del(&cable->link);
	spin_unlock(&cables_lock);
	cable_put(cable);
}

static int char_pair_create(struct device *dev, const struct device_config *config)
{
	const char *name = device_config_string(config, "name");
	struct frontend *frontend;
	struct cable_end *end;
	char taken[256];
	int err;

	if (strlen(name) > CABLE_NAME_MAX) {
		device_log(dev, LOG_ERROR, "name: expected at most %u characters", CABLE_NAME_MAX);
		return -EINVAL;
	}
	err = cable_join(dev, name, &end, taken, sizeof(taken));
	if (err) {
		if (err == -EBUSY)
			device_log(dev, LOG_ERROR, "name: %s joins %s already", name, taken);
		return err;
	}
	err = device_own(dev, cable_leave, end);
	if (err) {
		cable_leave(end);
		return err;
	}
	err = device_connect(dev, device_config_device(config, "frontend")->id, &char_frontend_kind,
			     &char_pair_ops.base, end, &frontend);
	if (!err)
		cable_plug(end, container_of(frontend, struct char_frontend, base));
	return err;
}

static const struct device_key char_pair_keys[] = {
	{.name = "frontend",
	 .kind = KEY_FRONTEND,
	 .help = "the serial port, or other character frontend, at this end"},
	{.name = "name",
	 .kind = KEY_STRING,
	 .help = "of the cable: two devices name it, of any VMs"},
	{},
};

/* What is in the cable is neither VM's. */
DEVICE_TYPE(char_pair_type, .name = "char-pair", .help = "an end of a null-modem cable",
	    .keys = char_pair_keys, .create = char_pair_create,
	    .saved = DEVICE_STATE_NONE("char-pair"));
