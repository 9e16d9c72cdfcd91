/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A test guest's small world: output, ports, MSRs, traps, interrupts and
 * tests that report themselves. 64-bit, identity-mapped, one C file a guest.
 *
 *	GUEST_TEST(name) { CHECK(cond, "why %d", x); }
 *
 * The runner prints `ok NAME` or `not ok NAME: …` per test, closes with
 * `N passed, N failed` and ends the VM through the debug-exit port.
 */
#ifndef TESTS_GUEST_LIB_GUEST_H
#define TESTS_GUEST_LIB_GUEST_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_EXIT_PORT	  0xf4
#define GUEST_SERIAL_PORT 0x3f8

struct guest_test {
	const char *name;
	void (*fn)(void);
};
#define GUEST_TEST(name_)                                                                    \
	static void test_##name_(void);                                                      \
	TABLE_ENTRY(guest_tests, struct guest_test, entry_##name_) = {#name_, test_##name_}; \
	static void test_##name_(void)

/* Notes a failure of the running test, once; the test goes on. */
void guest_fail(const char *fmt, ...) __printf(1, 2);
/* As guest_fail, the condition's text in front. */
void guest_check_failed(const char *cond, const char *fmt, ...) __printf(2, 3);
#define CHECK(cond, ...)                                        \
	do {                                                    \
		if (!(cond))                                    \
			guest_check_failed(#cond, __VA_ARGS__); \
	} while (0)

void guest_printf(const char *fmt, ...) __printf(1, 2);
/* Ends the VM (or QEMU with isa-debug-exit) with @code. */
void guest_exit(uint8_t code) __noreturn;

/* What the loader handed over: EAX and EBX. */
extern uint32_t guest_magic, guest_info;

static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port) : "memory");
}
static inline void outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port) : "memory");
}
static inline void outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port) : "memory");
}
static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline uint16_t inw(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline uint32_t inl(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline uint64_t rdmsr(uint32_t index)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(index));
	return (uint64_t)hi << 32 | lo;
}
static inline void wrmsr(uint32_t index, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
}
static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(subleaf));
}
static inline uint64_t rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}
static inline uint32_t mmio_read(uint64_t address)
{
	return *(volatile uint32_t *)address;
}
static inline void mmio_write(uint64_t address, uint32_t v)
{
	*(volatile uint32_t *)address = v;
}
static inline void irq_on(void)
{
	__asm__ volatile("sti" ::: "memory");
}
static inline void irq_off(void)
{
	__asm__ volatile("cli" ::: "memory");
}
/*
 * Takes what is pending. The jump is for QEMU, which looks for interrupts only
 * between its translated blocks, and not right behind STI.
 */
static inline void irq_window(void)
{
	__asm__ volatile("sti; nop; jmp 1f; 1: cli" ::: "memory");
}
/* Enables interrupts and halts in one step; interrupts are off again after. */
static inline void irq_wait(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

struct guest_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
_Static_assert(offsetof(struct guest_frame, vector) == 15 * 8, "traps.S");

/* Called with interrupts off, on the stack of what was interrupted. */
typedef void (*guest_handler)(struct guest_frame *frame);
/* NULL: the default; a trap that nobody handles ends the guest. */
void guest_set_handler(uint8_t vector, guest_handler handler);

struct guest_fault {
	uint8_t vector;
	uint64_t error, rip, cr2;
};
/* Runs @fn(@arg): true and @fault filled when it raised an exception. Boot CPU only. */
bool guest_faults(void (*fn)(void *), void *arg, struct guest_fault *fault);
/* As instructions: true and the vector when they fault. */
bool guest_rdmsr(uint32_t index, uint64_t *value);
bool guest_wrmsr(uint32_t index, uint64_t value);

/* Starts CPU @apic_id on @fn(@arg); false when it has not begun within a second. */
bool guest_start_cpu(uint32_t apic_id, void (*fn)(void *), void *arg);

/* TSC ticks per millisecond, measured against the PM timer. */
uint64_t guest_tsc_per_ms(void);
void guest_delay_ms(uint64_t ms);

#endif
