/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches in 32-bit PAE paging: JMP there and back, CALL and
 * IRET, task gates in the IDT for INT n and for exceptions with and without an
 * error code. Each task but the first has page tables of its own.
 */
#include "tests/guest/lib/guest.h"

#include <string.h>

#define PDPTE_P	   1
#define ALIAS	   1 /* the PDPTE by which the tables differ */
#define ROUNDS	   10
#define FLAT_CODE  0x08
#define FLAT_DATA  0x10
#define TASK_SEL   0x30 /* of task 0; in the order of enum tasks */
#define TASK_GATE  0x85
#define INTERRUPT  0x42
#define SEGMENT	   0xff00 /* beyond the GDT */
#define STACK_SIZE 1024
#define FLAG_NT	   0x4000
#define CR0_TS	   0x8
#define TSS_BUSY   2

enum tasks { MAIN, JUMPED, CALLED, GATE, DIVIDE, PROTECTION, TASKS };

struct tss {
	uint32_t link, stacks[6], cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, iomap;
} __packed;
_Static_assert(sizeof(struct tss) == 104, "SDM vol. 3A, figure 7-2");

/* What a task saw at its last entry. */
struct seen {
	uint32_t runs, flags, cr0, cr3, tr, edi, esp, error;
};

/* Known to the code below. The TSSs are within a page. */
struct tss tasks_tss[TASKS] __aligned(4096);
struct seen tasks_seen[TASKS];
uint64_t tasks_pdpt[2][4] __aligned(32);
uint64_t tasks_gdt[6 + TASKS], tasks_idt[INTERRUPT + 1];
uint8_t tasks_gdtr[10], tasks_gdtr_old[10], tasks_idtr[10], tasks_idtr_old[10];
uint64_t tasks_rsp, tasks_cr0, tasks_cr3, tasks_efer;
uint32_t tasks_progress;

void tasks_trip(void);
extern const char tasks_jumped[], tasks_called[], tasks_gate[], tasks_divide[], tasks_protection[];
extern uint64_t guest_gdt[6];
extern uint8_t guest_pd[];

static uint8_t stacks[TASKS][STACK_SIZE] __aligned(16);

/* clang-format off */
__asm__(
"	.pushsection .text, \"ax\", @progbits\n"
"	.code64\n"
"	.globl tasks_trip\n"
"tasks_trip:\n"
"	pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
"	sidt tasks_idtr_old; sgdt tasks_gdtr_old\n"
"	mov %cr0, %rax; mov %rax, tasks_cr0\n"
"	mov %cr3, %rax; mov %rax, tasks_cr3\n"
"	mov $0xc0000080, %ecx; rdmsr; mov %eax, tasks_efer\n"
"	mov %rsp, tasks_rsp\n"
"	lgdt tasks_gdtr; lidt tasks_idtr\n"
"	pushq $0x08; pushq $1f; lretq\n"
"	.code32\n"
"1:	mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss\n"
"	xor %eax, %eax; mov %eax, %fs; mov %eax, %gs; lldt %ax\n"
	/* Out of long mode, and to PAE paging. */
"	mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0\n"
"	mov $0xc0000080, %ecx; rdmsr; and $~0x100, %eax; wrmsr\n"
"	mov $tasks_pdpt, %eax; mov %eax, %cr3\n"
"	mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0\n"
"	mov $0x30, %eax; ltr %ax\n"
"	mov $0x5a5a0001, %ebx; mov $0x5a5a0002, %ebp; mov $0x5a5a0003, %esi\n"
"	ljmp $0x38, $0; incl tasks_progress\n"
"	lcall $0x40, $0; incl tasks_progress\n"
"	int $0x42; incl tasks_progress\n"
"	xor %eax, %eax; xor %edx, %edx; xor %ecx, %ecx; clts; div %ecx; incl tasks_progress\n"
"	mov $0xff00, %eax; clts; mov %eax, %fs; incl tasks_progress\n"
	/* Its own registers are what they were. */
"	cmp $0x5a5a0001, %ebx; jne 2f; cmp $0x5a5a0002, %ebp; jne 2f; cmp $0x5a5a0003, %esi; jne 2f\n"
"	mov tasks_rsp, %eax; cmp %eax, %esp; jne 2f\n"
"	pushf; testl $0x4000, (%esp); popf; jnz 2f\n"
"	mov %cr3, %eax; cmp $tasks_pdpt, %eax; jne 2f; incl tasks_progress\n"
	/* To long mode. */
"2:	mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0\n"
"	mov tasks_cr3, %eax; mov %eax, %cr3\n"
"	mov $0xc0000080, %ecx; mov tasks_efer, %eax; and $~0x400, %eax; xor %edx, %edx; wrmsr\n"
"	mov tasks_cr0, %eax; mov %eax, %cr0\n"
"	ljmp $0x18, $1f\n"
"	.code64\n"
"1:	mov tasks_rsp, %rsp\n"
"	lidt tasks_idtr_old; lgdt tasks_gdtr_old\n"
"	popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n"
"	ret\n"

	/* The others are loops: a switch away saves where they go on. EDI: their struct seen. */
"	.code32\n"
"tasks_see:\n"
"	pushf; popl 4(%edi)\n"
"	mov %cr0, %eax; mov %eax, 8(%edi); clts\n"
"	mov %cr3, %eax; mov %eax, 12(%edi)\n"
"	str %eax; mov %eax, 16(%edi)\n"
"	mov %edi, 20(%edi)\n"
"	lea 4(%esp), %eax; mov %eax, 24(%edi)\n"
"	incl (%edi)\n"
"	ret\n"
"	.globl tasks_jumped, tasks_called, tasks_gate, tasks_divide, tasks_protection\n"
"tasks_jumped:\n"
"	call tasks_see; ljmp $0x30, $0; jmp tasks_jumped\n"
"tasks_called:\n"
"tasks_gate:\n"
"	call tasks_see; iret; jmp tasks_called\n"
	/* Both faulting instructions, DIV and MOV, have two bytes: EIP of the main task. */
"tasks_divide:\n"
"	call tasks_see; addl $2, tasks_tss + 0x20; iret; jmp tasks_divide\n"
"tasks_protection:\n"
"	call tasks_see; addl $2, tasks_tss + 0x20; popl 28(%edi); iret; jmp tasks_protection\n"
"	.code64\n"
"	.popsection\n");
/* clang-format on */

static uint32_t low(const void *p)
{
	return (uint32_t)(uintptr_t)p;
}

static void table_register(uint8_t *reg, const void *table, size_t size)
{
	uint16_t limit = (uint16_t)(size - 1);

	memcpy(reg, &limit, 2);
	memcpy(reg + 2, &table, 8);
}

static uint64_t task_gate(enum tasks task)
{
	return (uint64_t)TASK_GATE << 40 | (TASK_SEL + 8ull * task) << 16;
}

static void prepare_task(enum tasks task, const char *entry)
{
	uint64_t base = low(&tasks_tss[task]);
	struct tss *tss = &tasks_tss[task];

	memset(&tasks_seen[task], 0, sizeof(tasks_seen[task]));
	*tss = (struct tss){
		.cr3 = low(tasks_pdpt[task != MAIN]),
		.eip = low(entry),
		.eflags = 2,
		.edi = low(&tasks_seen[task]),
		.esp = low(stacks[task] + STACK_SIZE),
		.es = FLAT_DATA,
		.cs = FLAT_CODE,
		.ss = FLAT_DATA,
		.ds = FLAT_DATA,
		.iomap = sizeof(*tss),
	};
	tasks_gdt[6 + task] =
		(sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24) << 56;
}

static void prepare(void)
{
	for (unsigned i = 0; i < 4; i++)
		tasks_pdpt[0][i] = tasks_pdpt[1][i] = (uint64_t)(guest_pd + 4096 * i) | PDPTE_P;
	tasks_pdpt[1][ALIAS] = tasks_pdpt[1][0];
	memcpy(tasks_gdt, guest_gdt, sizeof(guest_gdt));
	prepare_task(MAIN, NULL);
	prepare_task(JUMPED, tasks_jumped);
	prepare_task(CALLED, tasks_called);
	prepare_task(GATE, tasks_gate);
	prepare_task(DIVIDE, tasks_divide);
	prepare_task(PROTECTION, tasks_protection);
	tasks_idt[0] = task_gate(DIVIDE);
	tasks_idt[13] = task_gate(PROTECTION);
	tasks_idt[INTERRUPT] = task_gate(GATE);
	table_register(tasks_gdtr, tasks_gdt, sizeof(tasks_gdt));
	table_register(tasks_idtr, tasks_idt, sizeof(tasks_idt));
}

static bool is_busy(enum tasks task)
{
	return tasks_gdt[6 + task] >> 40 & TSS_BUSY;
}

static void check_task(enum tasks task, bool nested, uint32_t runs)
{
	const struct seen *s = &tasks_seen[task];
	const struct tss *tss = &tasks_tss[task];

	CHECK(s->runs == runs, "task %u ran %u times, not %u", task, s->runs, runs);
	CHECK(!!(s->flags & FLAG_NT) == nested, "task %u: EFLAGS 0x%x", task, s->flags);
	CHECK(s->cr0 & CR0_TS, "task %u: CR0 0x%x", task, s->cr0);
	CHECK(s->cr3 == low(tasks_pdpt[1]), "task %u: CR3 0x%x", task, s->cr3);
	CHECK(s->tr == TASK_SEL + 8u * task, "task %u: TR 0x%x", task, s->tr);
	CHECK(s->edi == low(s), "task %u: EDI 0x%x", task, s->edi);
	CHECK(!nested || tss->link == TASK_SEL, "task %u: link 0x%x", task, tss->link);
	CHECK(!(tss->eflags & FLAG_NT), "task %u: EFLAGS are kept as 0x%x", task, tss->eflags);
	CHECK(!is_busy(task), "task %u is still busy", task);
}

GUEST_TEST(switches_tasks)
{
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		prepare();
		tasks_progress = 0;
		tasks_trip();
		CHECK(tasks_progress == 6, "round %u: came to step %u", round, tasks_progress);
		CHECK(is_busy(MAIN), "the main task is not busy");
		check_task(JUMPED, false, 1);
		for (enum tasks task = CALLED; task < TASKS; task++)
			check_task(task, true, 1);
		CHECK(tasks_seen[PROTECTION].error == SEGMENT, "error code 0x%x",
		      tasks_seen[PROTECTION].error);
		CHECK(tasks_seen[PROTECTION].esp == low(stacks[PROTECTION] + STACK_SIZE) - 4,
		      "ESP 0x%x below the error code", tasks_seen[PROTECTION].esp);
	}
}
