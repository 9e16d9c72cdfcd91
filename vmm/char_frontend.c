/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/char_frontend.h"

const struct frontend_kind char_frontend_kind = {.name = "character"};

/* The guest's last words may be why the VM ends. */
static void char_frontend_detaching(struct frontend *base)
{
	struct char_frontend *frontend = container_of(base, struct char_frontend, base);

	frontend->output_ready(frontend->opaque);
}

void char_frontend_init(struct char_frontend *frontend)
{
	spinlock_init(&frontend->base.lock);
	frontend->base.kind = &char_frontend_kind;
	frontend->base.detaching = char_frontend_detaching;
}
