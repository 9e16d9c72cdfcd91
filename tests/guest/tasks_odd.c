/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches that are seldom seen: to and from a 16-bit TSS, to
 * and from virtual-8086 mode, and those that fault, in the old task or in the
 * new one (SDM vol. 3A, 7.2 and 7.3; table 7-1).
 */
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pae.h"
#include "tests/guest/lib/tss.h"

#include <string.h>

#define TS	   10
#define NP	   11
#define GP	   13
#define PF	   14
#define INTERRUPT  0x43
#define STACK_SIZE 1024
#define PAGE_USER  0x4
#define PDPTE_P	   1
#define HOLE	   0x40000000u /* is in no page tables */
#define BEYOND	   0xff00      /* beyond the GDT */
#define GATE_32	   0x8e
#define FLAG_NT	   0x4000
#define FLAGS_V86  0x23002 /* VM, IOPL 3 */
#define V86_CODE   0x9000  /* this guest's own pages below 1 MiB */
#define V86_DATA   0x9400

/* In the order of the GDT, from PAE_TSS on. */
enum entries {
	MAIN,
	SMALL,
	SMALL_CODE,
	SMALL_STACK,
	V86,
	V86_END,
	SHORT,
	ABSENT,
	VICTIM,
	NO_SEGMENT,
	LDT,
	NOWHERE,
	HANDLER,
	ENTRIES
};
#define SELECTOR(entry) (PAE_TSS + 8u * (entry))

/* Known to the code below. */
struct tss odd_main, odd_handler, odd_v86, odd_v86_end, odd_victim;
struct tss16 odd_small;
uint64_t odd_gdt[PAE_ENTRIES + ENTRIES], odd_idt[INTERRUPT + 1], odd_ldt[1];
uint64_t odd_pdpt[4] __aligned(32), odd_pdpt_user[4] __aligned(32),
	odd_pd_user[512] __aligned(4096);
uint32_t odd_progress, odd_returns;
struct {
	uint32_t offset;
	uint16_t selector;
} __packed odd_far;
struct {
	uint32_t eax, ebp, esp, cr3, tr, runs;
} odd_small_seen;
struct {
	uint32_t vector, error, eip, tr, cr2;
} odd_fault;
uint8_t odd_stack_small[STACK_SIZE] __aligned(16);

extern const char odd_go[], odd_jump[], odd_return[], odd_iret[], odd_twice[], odd_small_code[],
	odd_v86_code[], odd_v86_code_end[], odd_v86_int[], odd_v86_last[], odd_end[],
	odd_victim_code[], odd_ts[], odd_ts_task[], odd_np[], odd_gp[], odd_pf[];

static uint8_t stacks[3][STACK_SIZE] __aligned(16);

/* clang-format off */
__asm__(
"	.pushsection .text, \"ax\", @progbits\n"
"	.code32\n"
"	.globl odd_go, odd_jump, odd_return, odd_iret, odd_twice, odd_small_code, odd_v86_code\n"
"	.globl odd_v86_code_end, odd_v86_int, odd_v86_last, odd_end, odd_victim_code, odd_ts, odd_ts_task\n"
"	.globl odd_np, odd_gp, odd_pf\n"
	/* By JMP and, should it come back, behind it. */
"odd_go:\n"
"	mov $0x5a5a0001, %ebx; mov $0x5a5a0003, %esi\n"
"odd_jump:\n"
"	ljmp *odd_far\n"
"odd_after:\n"
"	mov $0x10, %eax; mov %eax, %ds; mov %eax, %es\n"
"	cmp $0x5a5a0001, %ebx; jne 1f; cmp $0x5a5a0003, %esi; jne 1f; incl odd_progress\n"
"1:	ret\n"
	/* The same, and by CALL. */
"odd_twice:\n"
"	call odd_go; mov $0x5a5a0005, %ebp; lcall *odd_far; cmp $0x5a5a0005, %ebp; jne 1f\n"
"	pushf; testl $0x4000, (%esp); popf; jnz 1f; incl odd_progress\n"
"1:	ret\n"
	/* To the task that the link names. */
"odd_return:\n"
"	mov $0x5a5a0001, %ebx; mov $0x5a5a0003, %esi; pushf; orl $0x4000, (%esp); popf\n"
"odd_iret:\n"
"	iret; jmp odd_after\n"

"odd_victim_code:\n"
"	mov 0, %eax; mov $0x10, %ecx; mov %ecx, %ds; mov %eax, odd_fault + 8; ljmp $0x30, $0\n"

	/* In the old task: on with it; in the new one: back to the old one. */
"odd_ts:	call odd_faulted\n"
"odd_np:	call odd_faulted\n"
"odd_gp:	call odd_faulted\n"
"odd_pf:	call odd_faulted\n"
"odd_faulted:\n"
"	push %eax; mov $0x10, %eax; mov %eax, %ds; pop %eax\n"
"	popl odd_fault; popl odd_fault + 4; popl odd_fault + 8; add $8, %esp\n"
"	push %eax; mov %cr2, %eax; mov %eax, odd_fault + 16; str %eax; mov %eax, odd_fault + 12\n"
"	cmp $0x30, %eax; pop %eax; je odd_after; ljmp $0x30, $0\n"

	/* As a task, whose stack has the error code; EIP is in the TSS of the one that faulted. */
"odd_ts_task:\n"
"	movl $odd_np, odd_fault; popl odd_fault + 4; mov odd_victim + 0x20, %eax\n"
"	mov %eax, odd_fault + 8; movzwl odd_handler, %eax; mov %eax, odd_fault + 12; ljmp $0x30, $0\n"

	/* From virtual-8086 mode: the first time back to it, then to the main task. */
"odd_end:\n"
"	incl odd_returns; cmpl $1, odd_returns; jne 1f; iret; jmp odd_end\n"
"1:	ljmp $0x30, $0\n"

"	.code16\n"
"	.balign 16\n"
"odd_small_code:\n"
"	push %ebx; movl $odd_small_seen, %ebx; movl %eax, (%ebx); movl %ebp, 4(%ebx)\n"
"	pop %eax; movl %esp, 8(%ebx); mov %cr3, %eax; movl %eax, 12(%ebx); str %eax; movl %eax, 16(%ebx)\n"
"	incl 20(%ebx); mov $0xbeef, %ax; cmpl $1, 20(%ebx); jne 1f\n"
"	ljmpl $0x30, $0; jmp odd_small_code\n"
"1:	iretw; jmp odd_small_code\n"

"odd_v86_code:\n"
"	mov $0x5a86, %ax; mov %ax, 0; mov %cs, %ax; mov %ax, 2; pushf; popw 4\n"
"odd_v86_int:\n"
"	int $0x43; incw 6; mov $0x1234, %bp; int $0x43\n"
"odd_v86_last:\n"
"	jmp odd_v86_last\n"
"odd_v86_code_end:\n"
"	.code64\n"
"	.popsection\n");
/* clang-format on */

static void entry(enum entries e, uint64_t descriptor)
{
	odd_gdt[PAE_ENTRIES + e] = descriptor;
}

static void task(enum entries e, struct tss *tss, const void *code, void *stack)
{
	*tss = (struct tss){
		.cr3 = pae_low(odd_pdpt),
		.eip = pae_low(code),
		.eflags = 2,
		.esp = pae_low(stack) + STACK_SIZE,
		.es = PAE_FLAT_DATA,
		.cs = PAE_FLAT_CODE,
		.ss = PAE_FLAT_DATA,
		.ds = PAE_FLAT_DATA,
		.iomap = sizeof(*tss),
	};
	entry(e, tss_descriptor(tss, sizeof(*tss) - 1, TSS_TYPE_32));
}

static void gate(unsigned vector, const void *handler)
{
	uint64_t address = pae_low(handler);

	odd_idt[vector] = (address & 0xffff) | PAE_FLAT_CODE << 16 | (uint64_t)GATE_32 << 40 |
			  address >> 16 << 48;
}

static void prepare(void)
{
	odd_progress = 0;
	memset(&odd_fault, 0, sizeof(odd_fault));
	for (unsigned i = 0; i < 4; i++)
		odd_pdpt[i] = odd_pdpt_user[i] = (uint64_t)(guest_pd + 4096 * i) | PDPTE_P;
	odd_pdpt[HOLE >> 30] = 0;
	memcpy(odd_gdt, guest_gdt, sizeof(guest_gdt));
	task(MAIN, &odd_main, NULL, stacks[0]);
	task(VICTIM, &odd_victim, odd_victim_code, stacks[1]);
	entry(NO_SEGMENT, odd_gdt[PAE_FLAT_DATA / 8] & ~(1ull << 47));
	entry(SHORT, tss_descriptor(&odd_victim, sizeof(odd_victim) - 2, TSS_TYPE_32));
	entry(ABSENT, tss_descriptor(&odd_victim, sizeof(odd_victim) - 1, TSS_TYPE_32 & 0x7f));
	entry(NOWHERE,
	      tss_descriptor((void *)(uintptr_t)HOLE, sizeof(odd_victim) - 1, TSS_TYPE_32));
	entry(LDT, tss_descriptor(odd_ldt, sizeof(odd_ldt) - 1, 0x82));
	task(HANDLER, &odd_handler, odd_ts_task, stacks[2]);
	gate(TS, odd_ts);
	gate(NP, odd_np);
	gate(GP, odd_gp);
	gate(PF, odd_pf);
}

static void call(const char *code)
{
	guest_pae_call(code, odd_pdpt, odd_gdt, sizeof(odd_gdt), odd_idt, sizeof(odd_idt));
}

static bool is_busy(enum entries e)
{
	return odd_gdt[PAE_ENTRIES + e] >> 40 & TSS_BUSY;
}

GUEST_TEST(sixteen_bit_tss)
{
	prepare();
	memset(&odd_small_seen, 0, sizeof(odd_small_seen));
	odd_small = (struct tss16){
		.flags = 2,
		.ax = 0x1234,
		.bp = 0x5678,
		.bx = 0x9abc,
		.sp = STACK_SIZE,
		.es = PAE_FLAT_DATA,
		.cs = SELECTOR(SMALL_CODE),
		.ss = SELECTOR(SMALL_STACK),
		.ds = PAE_FLAT_DATA,
	};
	entry(SMALL, tss_descriptor(&odd_small, sizeof(odd_small) - 1, TSS_TYPE_16));
	entry(SMALL_CODE, tss_descriptor(odd_small_code, 0xffff, 0x9b));
	entry(SMALL_STACK, tss_descriptor(odd_stack_small, 0xffff, 0x93));
	odd_far.selector = SELECTOR(SMALL);
	call(odd_twice);
	CHECK(odd_progress == 2, "came to step %u", odd_progress);
	CHECK(odd_small_seen.runs == 2, "it ran %u times", odd_small_seen.runs);
	CHECK((odd_small_seen.ebp & 0xffff) == 0x5678, "BP 0x%x", odd_small_seen.ebp);
	CHECK((odd_small_seen.eax & 0xffff) == 0xbeef, "AX 0x%x, not as it left",
	      odd_small_seen.eax);
	CHECK((odd_small_seen.esp & 0xffff) == STACK_SIZE, "SP 0x%x", odd_small_seen.esp);
	CHECK(odd_small_seen.cr3 == pae_low(odd_pdpt), "CR3 0x%x", odd_small_seen.cr3);
	CHECK(odd_small_seen.tr == SELECTOR(SMALL), "TR 0x%x", odd_small_seen.tr);
	CHECK(odd_small.link == PAE_TSS, "link 0x%x", odd_small.link);
	CHECK(odd_small.ax == 0xbeef && odd_small.sp == STACK_SIZE, "kept AX 0x%x, SP 0x%x",
	      odd_small.ax, odd_small.sp);
	CHECK(odd_small.cs == SELECTOR(SMALL_CODE) && odd_small.ss == SELECTOR(SMALL_STACK) &&
		      odd_small.ip && !(odd_small.flags & FLAG_NT),
	      "kept CS:IP 0x%x:0x%x, SS 0x%x, FLAGS 0x%x", odd_small.cs, odd_small.ip, odd_small.ss,
	      odd_small.flags);
	CHECK(!is_busy(SMALL) && is_busy(MAIN), "busy: %u, main %u", is_busy(SMALL), is_busy(MAIN));
}

GUEST_TEST(virtual_8086_mode)
{
	volatile uint16_t *data = (uint16_t *)V86_DATA;
	uint32_t last = (uint32_t)(odd_v86_last - odd_v86_code);

	prepare();
	memcpy(odd_pd_user, guest_pd, sizeof(odd_pd_user));
	for (unsigned i = 0; i < ARRAY_SIZE(odd_pd_user); i++)
		odd_pd_user[i] |= PAGE_USER;
	odd_pdpt_user[0] = (uint64_t)odd_pd_user | PDPTE_P;
	memcpy((void *)V86_CODE, odd_v86_code, (size_t)(odd_v86_code_end - odd_v86_code));
	memset((void *)V86_DATA, 0, 8);
	task(V86, &odd_v86, 0, stacks[1]);
	odd_v86.cr3 = pae_low(odd_pdpt_user);
	odd_v86.eflags = FLAGS_V86;
	odd_v86.cs = odd_v86.ss = V86_CODE >> 4;
	odd_v86.esp = V86_DATA - V86_CODE;
	odd_v86.ds = odd_v86.es = V86_DATA >> 4;
	task(V86_END, &odd_v86_end, odd_end, stacks[0]);
	odd_returns = 0;
	odd_idt[INTERRUPT] = tss_task_gate(SELECTOR(V86_END), TSS_TASK_GATE_USER);
	odd_far.selector = SELECTOR(V86);
	call(odd_go);
	CHECK(odd_progress == 1 && odd_returns == 2, "step %u, %u interrupts", odd_progress,
	      odd_returns);
	CHECK(data[0] == 0x5a86 && data[1] == V86_CODE >> 4, "wrote 0x%x 0x%x", data[0], data[1]);
	CHECK((data[2] & 0x3000) == 0x3000, "FLAGS 0x%x", data[2]);
	CHECK(data[3] == 1, "went on %u times", data[3]);
	CHECK(odd_v86_end.link == SELECTOR(V86), "link 0x%x", odd_v86_end.link);
	CHECK((odd_v86.eflags & FLAGS_V86) == FLAGS_V86, "kept EFLAGS 0x%x", odd_v86.eflags);
	CHECK(odd_v86.eip == last && (odd_v86.ebp & 0xffff) == 0x1234, "kept EIP 0x%x, not 0x%x",
	      odd_v86.eip, last);
	CHECK(odd_v86.cs == V86_CODE >> 4 && odd_v86.ds == V86_DATA >> 4, "kept CS 0x%x, DS 0x%x",
	      odd_v86.cs, odd_v86.ds);
	CHECK(is_busy(V86) && !is_busy(V86_END), "busy: %u, %u", is_busy(V86), is_busy(V86_END));
	odd_idt[INTERRUPT] = 0;
}

static void check_fault(const char *what, const void *code, uint32_t vector, uint32_t error,
			uint32_t tr, const void *eip)
{
	/* Where the handlers begin says which it was. */
	static const struct {
		uint32_t vector;
		const char *handler;
	} handlers[] = {{TS, odd_np}, {NP, odd_gp}, {GP, odd_pf}, {PF, NULL}};
	uint32_t came = 0;

	call(code);
	for (unsigned i = 0; i < ARRAY_SIZE(handlers); i++)
		if (odd_fault.vector &&
		    (!handlers[i].handler || odd_fault.vector == pae_low(handlers[i].handler))) {
			came = handlers[i].vector;
			break;
		}
	CHECK(odd_progress == 1, "%s: the main task does not go on", what);
	CHECK(came == vector && odd_fault.error == error, "%s: vector %u, error 0x%x", what, came,
	      odd_fault.error);
	CHECK(odd_fault.tr == tr, "%s: TR 0x%x", what, odd_fault.tr);
	CHECK(odd_fault.eip == pae_low(eip), "%s: EIP 0x%x, not 0x%x", what, odd_fault.eip,
	      pae_low(eip));
	CHECK(is_busy(MAIN), "%s: the main task is not busy", what);
}

GUEST_TEST(faults_in_the_old_task)
{
	prepare();
	odd_far.selector = SELECTOR(SHORT);
	check_fault("short", odd_go, TS, SELECTOR(SHORT), PAE_TSS, odd_jump);
	prepare();
	odd_far.selector = SELECTOR(ABSENT);
	check_fault("absent", odd_go, NP, SELECTOR(ABSENT), PAE_TSS, odd_jump);
	prepare();
	odd_far.selector = SELECTOR(VICTIM);
	entry(VICTIM, tss_descriptor(&odd_victim, sizeof(odd_victim) - 1, TSS_TYPE_32 | TSS_BUSY));
	check_fault("busy", odd_go, GP, SELECTOR(VICTIM), PAE_TSS, odd_jump);
	prepare();
	odd_main.link = SELECTOR(VICTIM);
	check_fault("return to who is not busy", odd_return, TS, SELECTOR(VICTIM), PAE_TSS,
		    odd_iret);
	prepare();
	odd_far.selector = SELECTOR(NOWHERE);
	check_fault("not mapped", odd_go, PF, 0, PAE_TSS, odd_jump);
	CHECK(odd_fault.cr2 >> 12 == HOLE >> 12, "CR2 0x%x", odd_fault.cr2);
}

GUEST_TEST(faults_in_the_new_task)
{
	odd_far.selector = SELECTOR(VICTIM);
	prepare();
	odd_victim.ds = BEYOND;
	check_fault("DS beyond the table", odd_go, TS, BEYOND, SELECTOR(VICTIM), odd_victim_code);
	prepare();
	odd_victim.ds = SELECTOR(NO_SEGMENT);
	check_fault("DS not present", odd_go, NP, SELECTOR(NO_SEGMENT), SELECTOR(VICTIM),
		    odd_victim_code);
	/* No segment is loaded yet: no handler can run in that task. */
	prepare();
	odd_idt[TS] = tss_task_gate(SELECTOR(HANDLER), TSS_TASK_GATE);
	odd_victim.ldt = PAE_FLAT_DATA;
	check_fault("no LDT", odd_go, TS, PAE_FLAT_DATA, SELECTOR(VICTIM), odd_victim_code);
	CHECK(is_busy(VICTIM), "the task that faulted is not busy: its handler can not return");
}

/* DS is of the LDT that comes with the task. */
GUEST_TEST(segments_of_an_ldt)
{
	static const uint32_t word = 0x12345678;

	prepare();
	odd_far.selector = SELECTOR(VICTIM);
	odd_ldt[0] = tss_descriptor(&word, 0xffff, 0x93);
	odd_victim.ldt = SELECTOR(LDT);
	odd_victim.ds = 4;
	call(odd_go);
	CHECK(odd_progress == 1 && !odd_fault.vector, "step %u, vector 0x%x", odd_progress,
	      odd_fault.vector);
	CHECK(odd_fault.eip == word, "DS:0 has 0x%x", odd_fault.eip);
}
