/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: arch/x86_64/exceptions.c */
/* Where an exception's handler goes back to. */
#include "arch/x86_64/exceptions.h"
#include "arch/x86_64/desc.h"
#include "arch/x86_64/fixup.h"
#include "arch/x86_64/host.h"
#include "arch/x86_64/irq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void exceptions_dispatch(struct exception_frame *frame);

/* What the image has in assembly: an instruction of a byte and the one behind it. */
extern const uint8_t exceptions_stubs[], cpu_idle_hlt[], cpu_idle_awake[];
__asm__(".pushsection .rodata\n"
	".globl exceptions_stubs, cpu_idle_hlt, cpu_idle_awake\n"
	"exceptions_stubs: .skip 4096\n"
	"cpu_idle_hlt: .byte 0\n"
	"cpu_idle_awake: .byte 0\n"
	".popsection\n"
	".pushsection table_fixup, \"a\"\n"
	".balign 8\n"
	".quad 0x1000, 0x2000\n"
	".popsection");

struct desc_gate desc_idt[256];
static unsigned nmis, irqs;

void irq_dispatch(uint8_t vector)
{
	(void)vector;
	irqs++;
}

static void on_nmi(const struct exception_frame *frame)
{
	(void)frame;
	nmis++;
}

const struct arch_host arch_host = {.nmi = on_nmi};

static uint64_t back_at(uint8_t vector, uint64_t rip)
{
	struct exception_frame frame = {.vector = vector, .rip = rip};

	exceptions_dispatch(&frame);
	return frame.rip;
}

/* The shadow of STI is over then: HLT would sleep on the interrupt that comes first. */
static void test_nmi_skips_the_sleep(void **state)
{
	uint64_t hlt = (uint64_t)cpu_idle_hlt, awake = (uint64_t)cpu_idle_awake;

	(void)state;
	assert_int_equal(back_at(EXCEPTION_NMI, hlt), awake);
	assert_int_equal(back_at(EXCEPTION_NMI, awake), awake);
	assert_int_equal(back_at(EXCEPTION_NMI, hlt - 1), hlt - 1);
	assert_int_equal(nmis, 3);
}

static void test_expected_faults(void **state)
{
	(void)state;
	assert_int_equal(back_at(EXCEPTION_GP, 0x1000), 0x2000);
	/* It is no fault of the instruction that it came before. */
	assert_int_equal(back_at(EXCEPTION_NMI, 0x1000), 0x1000);
	assert_int_equal(back_at(0x40, 0x1000), 0x1000);
	assert_int_equal(irqs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nmi_skips_the_sleep),
		cmocka_unit_test(test_expected_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
