/* SPDX-License-Identifier: BSD-2-Clause */
/* `define`: a VM by a config that is pasted, or that a module holds. */
#include "admin/command.h"
#include "admin/paste.h"
#include "kernel/boot_info.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <string.h>

#define DEFINE_PASTED "pasted config" /* its name in messages */

/* The config as far as it has come; the shell's task alone pastes. */
struct define {
	char line[PASTE_LINE_MAX + 1];
	char text[VM_CONFIG_TEXT_MAX];
	size_t len;
};

/* All lines up to the dot are taken, also those of a config that is refused. */
static int define_paste(struct define *d)
{
	int err = 0;
	size_t len;

	for (;;) {
		enum paste_result result = paste_line(d->line, &len, true);

		if (result == PASTE_END)
			return err;
		if (result == PASTE_CANCEL)
			return -ECANCELED;
		if (result == PASTE_TOO_LONG || len + 1 > sizeof(d->text) - d->len) {
			err = -E2BIG;
			continue;
		}
		memcpy(d->text + d->len, d->line, len);
		d->len += len;
		d->text[d->len++] = '\n';
	}
}

static void define_done(const char *what, int err)
{
	if (err == -ECANCELED)
		command_error("define: given up, nothing is defined\n");
	else if (err == -E2BIG)
		command_error("define: too long: expected %u bytes at most, %u in a line\n",
			      VM_CONFIG_TEXT_MAX, PASTE_LINE_MAX);
	else if (err)
		command_error("define: %s: failed (error %d), see the log\n", what, -err);
}

static void define_pasted(void)
{
	struct define *d = kmalloc(sizeof(*d));
	int err;

	if (!d) {
		command_error("define: out of memory\n");
		return;
	}
	d->len = 0;
	console_printf("Paste a VM's config. A line with a single . ends it, Ctrl-C gives up.\n");
	err = define_paste(d);
	if (!err)
		err = vm_config_define(DEFINE_PASTED, d->text, d->len);
	define_done(DEFINE_PASTED, err);
	kfree(d);
}

static void command_define(char **argv)
{
	const struct boot_module *module = argv[1] ? boot_module_find(argv[1]) : NULL;

	if (!argv[1])
		define_pasted();
	else if (!module)
		command_error("define: %s: no such module; `info modules` lists them\n", argv[1]);
	else if (boot_module_is_written(module))
		command_error("define: %s: a VM's disk writes to it (cow = false)\n", argv[1]);
	else
		define_done(argv[1], vm_config_define(module->name, module->data, module->size));
}

COMMAND(define_entry, .name = "define", .args = "[MODULE]",
	.help = "make a VM of a config: of a module, or pasted", .example = "define linux.cfg",
	.max = 1, .run = command_define, .live = true);
