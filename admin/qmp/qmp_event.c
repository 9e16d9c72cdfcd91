/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: whoever does something to a VM leaves them here, and the shell's task writes them between
 * two lines. When it has no time for so many, the oldest stay and how many were lost is told.
 */
#include "admin/qmp/qmp.h"

#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/slab.h"
#include "kernel/spinlock.h"
#include "kernel/task.h"
#include "kernel/time.h"
#include "kernel/wall_time.h"
#include "vmm/device.h"
#include "vmm/vm.h"
#include "vmm/vm_event.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define QMP_EVENTS     64
#define QMP_RESETS     48 /* what is left is for others than guests that do nothing but reset */
#define QMP_DETAIL_MAX 127

struct qmp_event {
	enum vm_event_kind kind;
	bool guest;
	uint64_t ns; /* time_ns() */
	char vm[VM_NAME_MAX + 1];
	char detail[QMP_DETAIL_MAX + 1];
};

struct qmp_events {
	struct task *task; /* that writes them */
	bool log;
	size_t log_at;	/* behind the last line of the log that was written */
	int64_t second; /* 1970 + this is where time_ns() was 0 */
	unsigned first, count, lost;
	unsigned losses; /* of the line, that were told */
	struct qmp_event events[QMP_EVENTS];
};

/* The queue's lock: before a run queue's alone. NULL: nobody wants them. */
static struct spinlock lock = SPINLOCK_INIT;
static struct qmp_events *queue;

static void qmp_event_hear(const struct vm_event *event)
{
	struct qmp_event *e;

	spin_lock(&lock);
	if (queue && queue->count >= (event->kind == VM_EVENT_RESET ? QMP_RESETS : QMP_EVENTS)) {
		queue->lost++;
	} else if (queue) {
		e = &queue->events[(queue->first + queue->count++) % QMP_EVENTS];
		*e = (struct qmp_event){event->kind, event->guest, time_ns(), "", ""};
		snprintf(e->vm, sizeof(e->vm), "%s", event->vm->name);
		if (event->detail)
			snprintf(e->detail, sizeof(e->detail), "%s", event->detail);
		task_wake(queue->task);
	}
	spin_unlock(&lock);
}

VM_EVENT_LISTENER(qmp_listener, .hear = qmp_event_hear);

int qmp_event_open(bool log)
{
	struct qmp_events *new = queue ? queue : kzalloc(sizeof(*new));

	if (!new)
		return -ENOMEM;
	if (log && !new->log)
		new->log_at = log_end();
	new->log = log;
	new->task = task_current();
	new->losses = console_losses();
	new->second = wall_time() - (int64_t)(time_ns() / NSEC_PER_SEC);
	spin_lock(&lock);
	queue = new;
	spin_unlock(&lock);
	return 0;
}

void qmp_event_close(void)
{
	struct qmp_events *old = queue;

	spin_lock(&lock);
	queue = NULL;
	spin_unlock(&lock);
	kfree(old);
}

bool qmp_event_wanted(void)
{
	return queue;
}

bool qmp_event_polls(void)
{
	return queue && queue->log;
}

/* How an event begins; its data follows, and }}. */
void qmp_event_begin(const char *name, uint64_t ns)
{
	char text[160];

	snprintf(text, sizeof(text),
		 "{\"event\": \"%s\", \"timestamp\": {\"seconds\": %ld, \"microseconds\": %lu}, "
		 "\"data\": {",
		 name, queue->second + (int64_t)(ns / NSEC_PER_SEC),
		 ns % NSEC_PER_SEC / NSEC_PER_USEC);
	qmp_text(text);
}

void qmp_event_end(void)
{
	qmp_text("}}\n");
	qmp_flush();
}

void qmp_event_string(const char *before, const char *value)
{
	qmp_text(before);
	json_put_string(qmp_write, value, strlen(value));
}

static void qmp_event_show(const struct qmp_event *e)
{
	static const char *const names[] = {
		[VM_EVENT_START] = "START",	     [VM_EVENT_PAUSE] = "STOP",
		[VM_EVENT_RESUME] = "RESUME",	     [VM_EVENT_RESET] = "RESET",
		[VM_EVENT_STOP] = "SHUTDOWN",	     [VM_EVENT_POWER_BUTTON] = "POWERDOWN",
		[VM_EVENT_CRASH] = "GUEST_PANICKED", [VM_EVENT_DEVICE_DELETED] = "DEVICE_DELETED",
	};

	qmp_event_begin(names[e->kind], e->ns);
	qmp_event_string("\"vm\": ", e->vm);
	if (e->kind == VM_EVENT_RESET || e->kind == VM_EVENT_STOP)
		qmp_text(e->guest ? ", \"guest\": true" : ", \"guest\": false");
	if (e->kind == VM_EVENT_CRASH)
		qmp_event_string(", \"action\": \"pause\", \"reason\": ", e->detail);
	if (e->kind == VM_EVENT_DEVICE_DELETED)
		qmp_event_string(", \"device\": ", e->detail);
	qmp_event_end();
}

static unsigned qmp_event_count(unsigned *lost)
{
	unsigned count;

	spin_lock(&lock);
	count = queue->count;
	*lost = queue->lost;
	queue->lost = 0;
	spin_unlock(&lock);
	return count;
}

static void qmp_event_take(struct qmp_event *e)
{
	spin_lock(&lock);
	*e = queue->events[queue->first];
	queue->first = (queue->first + 1) % QMP_EVENTS;
	queue->count--;
	spin_unlock(&lock);
}

static void qmp_event_write_number(const char *name, const char *what, unsigned value)
{
	char text[32];

	qmp_event_begin(name, time_ns());
	snprintf(text, sizeof(text), "\"%s\": %u", what, value);
	qmp_text(text);
	qmp_event_end();
}

static void qmp_event_write_losses(void)
{
	unsigned losses = console_losses();

	if (losses == queue->losses)
		return;
	queue->losses = losses;
	qmp_event_write_number("OUTPUT_LOST", "count", losses);
}

/* Not beyond what is there now: the line may be slower than the log. */
static void qmp_event_write_log(void)
{
	char line[LOG_LINE_MAX];
	size_t end = log_end(), at, len;

	while (queue->log && (ptrdiff_t)(end - (at = queue->log_at)) > 0 &&
	       (len = log_read(&queue->log_at, line))) {
		line[len - 1] = '\0';
		if (queue->log_at - len != at)
			qmp_event_write_number("EVENTS_LOST", "log_bytes",
					       (unsigned)(queue->log_at - len - at));
		qmp_event_begin("LOG", time_ns());
		qmp_event_string("\"line\": ", line);
		qmp_event_end();
	}
}

void qmp_event_write(void)
{
	struct qmp_event e;
	unsigned count, lost;

	if (!queue || !qmp_now->open)
		return;
	qmp_event_write_losses();
	/* Those that are there now: more may come as quickly as they can be written. */
	for (count = qmp_event_count(&lost); count; count--) {
		qmp_event_take(&e);
		qmp_event_show(&e);
	}
	if (lost)
		qmp_event_write_number("EVENTS_LOST", "count", lost);
	qmp_event_write_log();
}
