/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gdb's remote protocol (GDB manual, appendix E) for one VM. Everything that is
 * sent may be anything: it is checked, and answered E.. when it makes no sense.
 * All but gdb_exception() is of a task on the shell's CPU, with the VM's life its own.
 */
#ifndef ADMIN_GDB_GDB_H
#define ADMIN_GDB_GDB_H

#include "vmm/vm_debug.h"

#include <stddef.h>

#define GDB_PACKET_MAX 2048 /* bytes of a packet's content, of both sides */
#define GDB_SOFT_MAX   64   /* software breakpoints */
#define GDB_HARD_MAX   4    /* debug registers */
#define GDB_SIGINT     2
#define GDB_SIGTRAP    5
#define GDB_SIGSEGV    11

/* An instruction that is #UD is put there: what exits on both vendors, with RIP at it. */
struct gdb_soft {
	uint64_t address;
	uint8_t old[2];
	uint8_t len; /* 0: unused */
};

struct gdb_hard {
	uint64_t address;
	uint8_t type; /* as in Z: 1 execute, 2 write, 4 access; 0: unused */
	uint8_t len;
};

enum gdb_input_state { GDB_OUTSIDE, GDB_INSIDE, GDB_SUM_HIGH, GDB_SUM_LOW };

struct gdb {
	struct vm_debug debug; /* first */
	struct vm *vm;
	struct console_pipe *pipe; /* kernel/console.h; NULL: the console's line */
	uint32_t thread;	   /* of g, m and their like: a vCPU's index */
	uint32_t step;		   /* the vCPU that does one instruction, + 1; 0: none */
	uint32_t claimed;	   /* a vCPU has met something … */
	uint32_t stopped;	   /* … which one, + 1; 0: none. Both atomic. */
	const char *why;	   /* it did, as a stop reply has it; … */
	uint64_t why_address;	   /* … for "watch" */
	bool running, ended;
	bool no_ack;
	struct gdb_soft soft[GDB_SOFT_MAX];
	struct gdb_hard hard[GDB_HARD_MAX];
	bool hard_used; /* they are in the guest's debug registers */

	enum gdb_input_state input;
	uint8_t sum, sum_said;
	size_t len; /* of packet */
	char packet[GDB_PACKET_MAX + 1];
	size_t reply_len;
	char reply[GDB_PACKET_MAX + 1];
};

/* gdb_packet.c */
enum gdb_event { GDB_NOTHING, GDB_PACKET, GDB_BROKEN, GDB_INTERRUPT, GDB_LEAVE };
/* The next byte of the line. GDB_PACKET: a whole one is in g->packet, 0-terminated. */
enum gdb_event gdb_feed(struct gdb *g, char byte);
/* Adds to the reply; what does not fit is cut. */
void gdb_reply(struct gdb *g, const char *fmt, ...) __printf(2, 3);
void gdb_reply_hex(struct gdb *g, const void *data, size_t len);
/* Sends the reply by @write. */
void gdb_send(struct gdb *g, void (*write)(struct gdb *g, const char *s, size_t len));
/* A hexadecimal number at *@at, which moves behind it, up to @end at most. */
bool gdb_number(const char **at, const char *end, uint64_t *value);
/* @len bytes from 2 * @len hexadecimal digits. */
bool gdb_bytes(const char *hex, uint8_t *data, size_t len);

/* gdb_regs.c */
extern const char gdb_target_xml[];
extern const size_t gdb_target_xml_len;
void gdb_read_registers(struct gdb *g, struct vcpu *vcpu);
void gdb_write_registers(struct gdb *g, struct vcpu *vcpu, const char *hex);
void gdb_read_register(struct gdb *g, struct vcpu *vcpu, uint64_t number);
void gdb_write_register(struct gdb *g, struct vcpu *vcpu, uint64_t number, const char *hex);

/* gdb_memory.c: false when a byte is not RAM. */
bool gdb_read_memory(struct vcpu *vcpu, uint64_t address, uint8_t *data, size_t len);
bool gdb_write_memory(struct vcpu *vcpu, uint64_t address, const uint8_t *data, size_t len);

/* gdb_break.c: 0, -EINVAL, -ENOSPC, -EFAULT; -ENOSYS: no such kind. */
int gdb_break_set(struct gdb *g, struct vcpu *vcpu, unsigned type, uint64_t address, uint64_t len);
int gdb_break_clear(struct gdb *g, struct vcpu *vcpu, unsigned type, uint64_t address);
void gdb_break_clear_all(struct gdb *g);
/* Debug registers of all vCPUs as g->hard says, before they run. */
void gdb_break_load(struct gdb *g);
/* struct vm_debug's. */
bool gdb_exception(struct vm_debug *debug, struct vcpu *vcpu, uint8_t vector);
/* The vCPU's next instruction is its last for now; or that is over. */
void gdb_step(struct vcpu *vcpu, bool on);

/* gdb_command.c: what the packet asks for; the reply is made, unless g->running. */
void gdb_command(struct gdb *g);
/* Why the VM stands still. */
void gdb_stop_reply(struct gdb *g, unsigned signal);

#endif
