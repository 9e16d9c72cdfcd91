/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows a guest's text screen to the administrator's terminal and types on
 * the guest's keyboard: connects a console frontend and a keyboard to a
 * console of the VM (vmm/vm_console.h).
 *
 * The frontend tells CONSOLE_HZ times a second at most what has changed; what
 * the serial line is too slow for is drawn later, as it then looks. Without a
 * viewer nothing is done.
 *
 * Keys: frontend, keyboard, charset.
 * Locks: the frontend's over what is drawn; `lock` over what is typed, before
 * the keyboard's. `frontend` may become NULL at any time and is then only not
 * used any more; the frontend itself stays for a grace period.
 */
#include "devices/backend/screen.h"

#include "kernel/grace.h"
#include "kernel/slab.h"
#include "kernel/time.h"
#include "vmm/device.h"
#include "vmm/device_state.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"
#include "vmm/vm_console.h"

#include <errno.h>

#define SCREEN_OUT    512
#define SCREEN_ESC_NS (100 * NSEC_PER_MSEC) /* after which an Escape is no sequence's begin */

struct screen {
	struct vm *vm;
	struct vm_console *console;
	struct frontend *frontend; /* NULL: it has gone */
	bool viewed;
	struct screen_draw draw;
	uint8_t out[SCREEN_OUT]; /* what the console has not taken yet */
	size_t out_at, out_len;

	struct spinlock lock;
	struct keyboard *keyboard; /* or NULL; stays as long as we do */
	struct screen_keys keys;
	struct device_timer *escape;
};

/* NULL: it has gone. */
static struct console_frontend *screen_frontend(const struct screen *s)
{
	struct frontend *frontend = grace_read(s->frontend);

	return frontend ? container_of(frontend, struct console_frontend, base) : NULL;
}

/* Draws as far as the console takes it. Under the frontend's lock, as all up to the next heading.
 */
static void screen_push(struct screen *s)
{
	while (s->viewed) {
		if (s->out_at == s->out_len) {
			s->out_at = 0;
			s->out_len = screen_draw(&s->draw, s->out, sizeof(s->out));
			if (!s->out_len)
				break;
		}
		s->out_at +=
			vm_console_output(s->console, s->out + s->out_at, s->out_len - s->out_at);
		if (s->out_at < s->out_len)
			break; /* screen_output_ready() comes */
	}
}

/* Rows [@first, @end) may have changed, and the cursor. */
static void screen_refresh(struct screen *s, unsigned first, unsigned end)
{
	const struct console_frontend *frontend = screen_frontend(s);

	if (!frontend || !s->viewed)
		return;
	frontend->snapshot(frontend->opaque, &s->draw.screen, s->draw.want);
	screen_draw_take(&s->draw, first, end);
	screen_push(s);
}

/* From the frontend. */

static void screen_resolution(void *opaque)
{
	struct screen *s = opaque;

	screen_draw_clear(&s->draw);
	screen_refresh(s, 0, CONSOLE_CELLS_MAX);
}

static void screen_scroll(void *opaque, unsigned rows)
{
	struct screen *s = opaque;

	screen_draw_scroll(&s->draw, rows);
	screen_refresh(s, 0, CONSOLE_CELLS_MAX);
}

static void screen_update(void *opaque, unsigned x, unsigned y, unsigned columns, unsigned rows)
{
	(void)x;
	(void)columns;
	screen_refresh(opaque, y, y + rows);
}

static void screen_cursor(void *opaque)
{
	screen_refresh(opaque, 0, 0);
}

static void screen_gone(void *opaque)
{
	struct screen *s = opaque;

	grace_publish(s->frontend, NULL);
}

static const struct console_backend_ops screen_ops = {
	.base.gone = screen_gone,
	.resolution = screen_resolution,
	.scroll = screen_scroll,
	.update = screen_update,
	.cursor = screen_cursor,
};

/* From the administrator: without any lock. */

static void screen_viewer(void *opaque, bool here)
{
	struct screen *s = opaque;
	struct console_frontend *frontend = screen_frontend(s);

	if (!frontend)
		return;
	spin_lock(&frontend->base.lock);
	s->viewed = here;
	s->out_at = s->out_len = 0;
	frontend->watch(frontend->opaque, here);
	screen_resolution(s);
	spin_unlock(&frontend->base.lock);
}

static void screen_output_ready(void *opaque)
{
	struct screen *s = opaque;
	struct console_frontend *frontend = screen_frontend(s);

	if (!frontend)
		return;
	spin_lock(&frontend->base.lock);
	screen_push(s);
	spin_unlock(&frontend->base.lock);
}

/* False: the guest has not taken what was typed before. Under `lock`, as the next. */
static bool screen_stroke(const struct screen *s, const struct screen_stroke *stroke)
{
	struct key_event events[KEYBOARD_EVENTS_MAX];
	unsigned count = screen_keys_events(stroke, events);

	return !s->keyboard || s->keyboard->keys(s->keyboard->opaque, events, count) != -EAGAIN;
}

static bool screen_byte(struct screen *s, uint8_t byte)
{
	struct screen_keys keys = s->keys;
	struct screen_stroke stroke;

	if (screen_keys_feed(&keys, byte, &stroke) && !screen_stroke(s, &stroke))
		return false;
	s->keys = keys;
	return true;
}

static void screen_wait_escape(struct screen *s)
{
	if (s->keys.state == SCREEN_KEYS_ESC)
		device_timer_arm(s->escape, vm_time_ns(s->vm) + SCREEN_ESC_NS);
	else
		device_timer_cancel(s->escape);
}

static size_t screen_input(void *opaque, const uint8_t *data, size_t len)
{
	struct screen *s = opaque;
	size_t n = 0;

	spin_lock(&s->lock);
	while (n < len && screen_byte(s, data[n]))
		n++;
	screen_wait_escape(s);
	spin_unlock(&s->lock);
	return n;
}

/* Nothing came behind the Escape: it was the key. */
static void screen_escape(void *opaque)
{
	const struct screen_stroke stroke = {KEY_ESC, 0};
	struct screen *s = opaque;

	spin_lock(&s->lock);
	if (s->keys.state == SCREEN_KEYS_ESC && screen_stroke(s, &stroke))
		s->keys.state = SCREEN_KEYS_PLAIN;
	screen_wait_escape(s);
	spin_unlock(&s->lock);
}

/* A keyboard has no such key that a guest would not take for another. */
static void screen_input_break(void *opaque)
{
	(void)opaque;
}

static const struct vm_console_backend screen_console_ops = {
	.input = screen_input,
	.input_break = screen_input_break,
	.output_ready = screen_output_ready,
	.viewer = screen_viewer,
	.leave = "\033[0m\033[r\033[?25h\033[999;1H",
};

/* Under the keyboard's lock. */
static void screen_keyboard_ready(void *opaque)
{
	const struct screen *s = opaque;

	vm_console_input_ready(s->console);
}

static void screen_unregister(void *opaque)
{
	const struct screen *s = opaque;

	vm_console_unregister(s->console);
}

static void screen_unlisten(void *opaque)
{
	const struct screen *s = opaque;

	s->keyboard->listen(s->keyboard->opaque, NULL, NULL);
}

static int screen_listen(struct device *dev, struct screen *s, const struct device *keyboard)
{
	int err;

	s->keyboard = device_iface(dev->vm, keyboard->id, KEYBOARD_KIND);
	if (!s->keyboard) {
		device_log(dev, LOG_ERROR, "keyboard = %s: that is none", keyboard->id);
		return -EINVAL;
	}
	err = device_own(dev, screen_unlisten, s);
	if (!err)
		s->keyboard->listen(s->keyboard->opaque, screen_keyboard_ready, s);
	return err;
}

static int screen_register(struct device *dev, struct screen *s)
{
	int err;

	s->console = vm_console_register(dev->vm, dev->id, dev->id, &screen_console_ops, s);
	if (!s->console)
		return -ENOMEM;
	err = device_own(dev, screen_unregister, s);
	if (err)
		vm_console_unregister(s->console);
	return err;
}

static void screen_destroy(struct device *dev)
{
	kfree(dev->state);
}

static int screen_create(struct device *dev, const struct device_config *config)
{
	const struct device *keyboard = device_config_device(config, "keyboard");
	struct screen *s = kzalloc(sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	dev->state = s;
	s->vm = dev->vm;
	spinlock_init(&s->lock);
	s->draw.ascii = device_config_uint(config, "charset");
	err = device_timer(dev, screen_escape, s, &s->escape);
	if (!err)
		err = screen_register(dev, s);
	if (!err && keyboard)
		err = screen_listen(dev, s, keyboard);
	/* Last, so that it is the first to go: what the frontend tells needs the console. */
	if (!err)
		err = device_connect(dev, device_config_device(config, "frontend")->id,
				     &console_frontend_kind, &screen_ops.base, s, &s->frontend);
	return err;
}

static const struct device_key screen_keys[] = {
	{.name = "frontend",
	 .kind = KEY_FRONTEND,
	 .help = "the VGA, or other console frontend, to show"},
	{.name = "keyboard",
	 .kind = KEY_DEVICE,
	 .def = "",
	 .help = "the keyboard that is typed on (a ps2)"},
	{.name = "charset",
	 .kind = KEY_CHOICE,
	 .def = "utf8",
	 .choices = "utf8|ascii",
	 .help = "what the terminal understands"},
	{},
};

MACHINE_PART(screen_part, .machine = "pc",
	     .text = "[device \"screen0\"]\ntype = screen\nfrontend = vga\nkeyboard = ps2\n");

DEVICE_TYPE(screen_type, .name = "screen", .help = "shows a screen to the administrator",
	    .keys = screen_keys, .create = screen_create, .destroy = screen_destroy,
	    .saved = DEVICE_STATE_NONE("screen"));
