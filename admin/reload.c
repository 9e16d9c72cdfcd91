/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `reload`: all of a vCPU that stands still is taken out, another one put in
 * its place, and then the first again. Its guest must not find a difference.
 */
#include "admin/command.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "kernel/slab.h"
#include "vmm/vcpu_saved.h"

#include <string.h>

/* Something that any CPU takes, and that has nothing of @from in it. */
static void make_other(struct vcpu_saved *other, const struct vcpu_saved *from)
{
	memset(other, 0, sizeof(*other));
	for (unsigned i = 0; i < ARRAY_SIZE(other->gpr); i++)
		other->gpr[i] = ~from->gpr[i];
	other->rip = ~from->rip;
	other->regs[VCPU_RFLAGS] = 2;
	other->regs[VCPU_CR0] = 0x60000010;
	other->regs[VCPU_DR6] = 0xffff0ff0;
	other->regs[VCPU_DR7] = 0x400;
	other->state = VCPU_WAIT_SIPI;
	other->tsc_ahead = from->tsc_ahead + 1;
	other->fpu.xcr0 = 1;
}

/* The first byte by which they differ. */
static size_t difference(const struct vcpu_saved *a, const struct vcpu_saved *b)
{
	size_t i = 0;

	while (i < sizeof(*a) && ((const uint8_t *)a)[i] == ((const uint8_t *)b)[i])
		i++;
	return i;
}

static void reload(struct vcpu *vcpu, struct vcpu_saved *s)
{
	char why[80] = "";
	size_t same;
	int err;

	vcpu_saved_get(vcpu, &s[0]);
	make_other(&s[1], &s[0]);
	err = vcpu_saved_set(vcpu, &s[1], why, sizeof(why));
	if (!err)
		err = vcpu_saved_set(vcpu, &s[0], why, sizeof(why));
	vcpu_saved_get(vcpu, &s[1]);
	same = difference(&s[0], &s[1]);
	if (err)
		console_printf("refused: %s\n", why);
	else if (same != sizeof(s[0]))
		console_printf("it is not what it was from byte %lu on\n", same);
	else
		console_printf("reloaded, %lu bytes\n", sizeof(s[0]));
}

static void command_reload(char **argv)
{
	struct vcpu_saved *s = kcalloc(2, sizeof(*s));
	enum vm_state state;
	struct vcpu *vcpu;

	if (!s) {
		console_printf("out of memory\n");
		return;
	}
	vcpu = vcpu_arg_begin(argv[1], &state);
	if (vcpu) {
		reload(vcpu, s);
		vcpu_arg_end(vcpu, state);
	}
	kfree(s);
}

COMMAND(reload_entry, .name = "reload", .args = "VM.VCPU",
	.help = "take out all of a vCPU that stands still, and put it in again", .min = 1, .max = 1,
	.run = command_reload);
