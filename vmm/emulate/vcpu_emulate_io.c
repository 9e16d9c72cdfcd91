/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate/vcpu_emulate.h"

#include "vmm/emulate/icache.h"
#include "vmm/emulate/string_io.h"
#include "vmm/emulate/vcpu_emulate_frame.h"
#include "vmm/hook/hook_io.h"

#include <string.h>

struct vcpu_emulate_port {
	struct vcpu *vcpu;
	const struct vm_exit_io *io;
};

static void vcpu_emulate_in(struct vcpu_emulate_port *port, uint8_t *to, unsigned count)
{
	for (unsigned width = port->io->width; count--; to += width) {
		uint32_t value = hook_io_read(port->vcpu, port->io->port, width);

		memcpy(to, &value, width);
	}
}

static void vcpu_emulate_out(struct vcpu_emulate_port *port, const uint8_t *from, unsigned count)
{
	for (unsigned width = port->io->width; count--; from += width) {
		uint32_t value = 0;

		memcpy(&value, from, width);
		hook_io_write(port->vcpu, port->io->port, width, value);
	}
}

static void vcpu_emulate_transfer(void *opaque, void *data, unsigned count)
{
	struct vcpu_emulate_port *port = opaque;

	if (port->io->in)
		vcpu_emulate_in(port, data, count);
	else
		vcpu_emulate_out(port, data, count);
}

/* The segment that OUTS reads from and the width of addresses, where the hardware does not say. */
static enum emulate_result vcpu_emulate_source(struct emulate_ctx *ctx, struct string_io *io)
{
	const struct insn *insn;
	enum emulate_result result = icache_insn(ctx, &insn);

	if (result == EMULATE_DONE) {
		io->seg = insn->seg;
		io->addr_width = insn->addr_width;
	}
	return result;
}

enum exit_action vcpu_emulate_string_io(struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct vcpu_emulate_port port = {.vcpu = vcpu, .io = &exit->u.io};
	struct string_io io = {
		.in = port.io->in,
		.rep = port.io->rep,
		.width = port.io->width,
		.addr_width = port.io->addr_width,
		.seg = EMULATE_DS,
		.transfer = vcpu_emulate_transfer,
		.opaque = &port,
	};
	enum emulate_result result = EMULATE_DONE;
	struct emulate_ctx ctx;
	struct vcpu_mode mode;

	vcpu_emulate_enter(vcpu, &ctx, &mode);
	if (port.io->seg >= 0)
		io.seg = (enum emulate_seg)port.io->seg;
	if (!io.addr_width || (port.io->seg < 0 && !io.in))
		result = vcpu_emulate_source(&ctx, &io);
	if (result == EMULATE_DONE)
		result = string_io_run(&ctx, &io);
	if (result == EMULATE_DONE)
		return EXIT_ADVANCE;
	return vcpu_emulate_result(vcpu, &ctx, &mode, result);
}
