/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's COM1 and COM2 for a guest's serial port alone, where they are no console of ours
 * (drivers/serial.h). Nothing is added to what goes over the line: its user's bytes, its breaks,
 * its DTR and RTS. RTS goes off, too, while the user takes nothing.
 */
#ifndef DRIVERS_SERIAL_PORT_H
#define DRIVERS_SERIAL_PORT_H

#include "drivers/serial_claim.h"
#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_PORT_SPEED_MIN 50
#define SERIAL_PORT_SPEED_MAX 115200

#define SERIAL_PORT_USER_MAX SERIAL_USER_MAX /* bytes of serial_port_user()'s */

struct serial_port;

/* At interrupt windows of any CPU, without a lock, one at a time. */
struct serial_port_ops {
	/* From the line. How many were taken: the others come again, at serial_port_input_ready().
	 */
	size_t (*input)(void *opaque, const uint8_t *data, size_t len);
	void (*input_break)(void *opaque);
	/* serial_port_write() has taken less than all, and takes bytes again. */
	void (*output_ready)(void *opaque);
};

/*
 * @name: "com1" or "com2"; @speed: bits a second; @user: what messages call who has it, until it is
 * closed; @opaque is that one's alone. -ENODEV: no such UART, or no interrupt for it; -EBUSY: a
 * console of ours, or another's already, whom serial_port_user() names; -ENOMEM. A task.
 */
int serial_port_open(const char *name, unsigned speed, const char *user,
		     const struct serial_port_ops *ops, void *opaque,
		     struct serial_port **out) __must_check;
/* Who has the port @name; never NULL. */
const char *serial_port_user(const char *name);
/* What was written goes out, as long as the line takes it; @ops are not called any more when this
 * returns. A task that may wait. */
void serial_port_close(struct serial_port *port);
/* How many bytes were taken. This and those below: any CPU, never waiting, with what lock ever that
 * @ops do not come with. */
size_t serial_port_write(struct serial_port *port, const uint8_t *data, size_t len);
void serial_port_input_ready(struct serial_port *port);
void serial_port_set_break(struct serial_port *port, bool on);
/* Both are on until this is called. */
void serial_port_set_modem(struct serial_port *port, bool dtr, bool rts);
#endif
