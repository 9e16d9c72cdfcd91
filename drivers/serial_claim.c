/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/serial_claim.h"

#include "drivers/serial_regs.h"
#include "kernel/spinlock.h"

#include <stdio.h>

struct serial_claims {
	uint16_t port;
	unsigned count; /* 0: it is nobody's */
	const void *owner;
	char user[SERIAL_USER_MAX + 1];
};

static struct spinlock claims_lock = SPINLOCK_INIT;
static struct serial_claims claims[] = {{.port = 0x3f8}, {.port = 0x2f8}};

static bool claims_meet(const struct serial_claims *c, uint16_t first, uint32_t count)
{
	return first < c->port + UART_PORTS && first + count > c->port;
}

/* Who else than @owner has one of the ports. Under the lock. */
static const char *claims_other(uint16_t first, uint32_t count, const void *owner)
{
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++)
		if (claims[i].count && claims[i].owner != owner &&
		    claims_meet(&claims[i], first, count))
			return claims[i].user;
	return NULL;
}

const char *serial_user(uint16_t first, uint32_t count)
{
	const char *user;

	spin_lock(&claims_lock);
	user = claims_other(first, count, NULL);
	spin_unlock(&claims_lock);
	return user;
}

const char *serial_claim(uint16_t first, uint32_t count, const void *owner, const char *user)
{
	const char *other;

	spin_lock(&claims_lock);
	other = claims_other(first, count, owner);
	for (size_t i = 0; i < ARRAY_SIZE(claims) && !other; i++) {
		struct serial_claims *c = &claims[i];

		if (!claims_meet(c, first, count) || c->count++)
			continue;
		c->owner = owner;
		snprintf(c->user, sizeof(c->user), "%s", user);
	}
	spin_unlock(&claims_lock);
	return other;
}

void serial_release(uint16_t first, uint32_t count, const void *owner)
{
	spin_lock(&claims_lock);
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++)
		if (claims[i].count && claims[i].owner == owner &&
		    claims_meet(&claims[i], first, count))
			claims[i].count--;
	spin_unlock(&claims_lock);
}
