/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guest/lib/guest.h"

struct guest_try {
	uint64_t rsp; /* traps.S: first */
	bool active;
	struct guest_fault fault;
};

struct guest_gate {
	uint16_t offset0, selector, flags, offset1;
	uint32_t offset2, reserved;
};
_Static_assert(sizeof(struct guest_gate) == 16, "APM vol. 2, 4.8.4");

#define STUB_SIZE 16
#define CODE64	  0x18
#define GATE_INT  0x8e00

extern const uint8_t guest_stubs[];
int guest_try_call(struct guest_try *try, void (*fn)(void *), void *arg);
void guest_try_abort(struct guest_try *try) __noreturn;
void guest_trap(struct guest_frame *frame);
void guest_traps_init(void);
void guest_idt_load(void);

static struct guest_gate idt[256];
static guest_handler handlers[256];
static struct guest_try current;

void guest_set_handler(uint8_t vector, guest_handler handler)
{
	handlers[vector] = handler;
}

void guest_trap(struct guest_frame *frame)
{
	guest_handler handler = handlers[frame->vector & 0xff];

	if (handler) {
		handler(frame);
		return;
	}
	if (current.active && frame->vector < 32) {
		current.active = false;
		current.fault.vector = (uint8_t)frame->vector;
		current.fault.error = frame->error;
		current.fault.rip = frame->rip;
		__asm__ volatile("mov %%cr2, %0" : "=r"(current.fault.cr2));
		guest_try_abort(&current);
	}
	guest_printf("unexpected vector %llu, error 0x%llx, at 0x%llx\n",
		     (unsigned long long)frame->vector, (unsigned long long)frame->error,
		     (unsigned long long)frame->rip);
	guest_exit(2);
}

bool guest_faults(void (*fn)(void *), void *arg, struct guest_fault *fault)
{
	bool faulted;

	current.active = true;
	faulted = guest_try_call(&current, fn, arg);
	current.active = false;
	if (faulted && fault)
		*fault = current.fault;
	return faulted;
}

struct msr_access {
	uint32_t index;
	uint64_t value;
};

static void do_rdmsr(void *arg)
{
	struct msr_access *a = arg;

	a->value = rdmsr(a->index);
}

static void do_wrmsr(void *arg)
{
	struct msr_access *a = arg;

	wrmsr(a->index, a->value);
}

bool guest_rdmsr(uint32_t index, uint64_t *value)
{
	struct msr_access a = {index, 0};
	bool faulted = guest_faults(do_rdmsr, &a, NULL);

	*value = a.value;
	return !faulted;
}

bool guest_wrmsr(uint32_t index, uint64_t value)
{
	struct msr_access a = {index, value};

	return !guest_faults(do_wrmsr, &a, NULL);
}

void guest_idt_load(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __packed idtr = {sizeof(idt) - 1, (uint64_t)idt};

	__asm__ volatile("lidt %0" ::"m"(idtr));
}

void guest_traps_init(void)
{
	unsigned i;
	uint64_t stub;

	for (i = 0; i < 256; i++) {
		stub = (uint64_t)guest_stubs + i * STUB_SIZE;
		idt[i] = (struct guest_gate){
			(uint16_t)stub,		CODE64, GATE_INT, (uint16_t)(stub >> 16),
			(uint32_t)(stub >> 32), 0};
	}
	guest_idt_load();
}
