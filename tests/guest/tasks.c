/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware task switches in 32-bit PAE paging: JMP there and back, CALL and
 * IRET, task gates in the IDT for INT n and for exceptions with and without an
 * error code. Each task but the first has page tables of its own.
 */
#include "tests/guest/lib/guest.h"
#include "tests/guest/lib/pae.h"
#include "tests/guest/lib/tss.h"

#include <string.h>

#define PDPTE_P	   1
#define ALIAS	   1 /* the PDPTE by which the tables differ */
#define ROUNDS	   10
#define INTERRUPT  0x42
#define SEGMENT	   0xff00 /* beyond the GDT */
#define STACK_SIZE 1024
#define FLAG_NT	   0x4000
#define CR0_TS	   0x8

enum tasks { MAIN, JUMPED, CALLED, GATE, DIVIDE, PROTECTION, TASKS };

/* What a task saw at its last entry. */
struct seen {
	uint32_t runs, flags, cr0, cr3, tr, edi, esp, error;
};

/* Known to the code below. The TSSs are within a page. */
struct tss tasks_tss[TASKS] __aligned(4096);
struct seen tasks_seen[TASKS];
uint64_t tasks_pdpt[2][4] __aligned(32);
uint64_t tasks_gdt[PAE_ENTRIES + TASKS], tasks_idt[INTERRUPT + 1];
uint32_t tasks_progress, tasks_esp;

extern const char tasks_main[], tasks_jumped[], tasks_called[], tasks_gate[], tasks_divide[],
	tasks_protection[];

static uint8_t stacks[TASKS][STACK_SIZE] __aligned(16);

/* clang-format off */
__asm__(
"	.pushsection .text, \"ax\", @progbits\n"
"	.code32\n"
"	.globl tasks_main, tasks_jumped, tasks_called, tasks_gate, tasks_divide, tasks_protection\n"
"tasks_main:\n"
"	mov %esp, tasks_esp\n"
"	mov $0x5a5a0001, %ebx; mov $0x5a5a0002, %ebp; mov $0x5a5a0003, %esi\n"
"	ljmp $0x38, $0; incl tasks_progress\n"
"	lcall $0x40, $0; incl tasks_progress\n"
"	int $0x42; incl tasks_progress\n"
"	xor %eax, %eax; xor %edx, %edx; xor %ecx, %ecx; clts; div %ecx; incl tasks_progress\n"
"	mov $0xff00, %eax; clts; mov %eax, %fs; incl tasks_progress\n"
	/* Its own registers are what they were. */
"	cmp $0x5a5a0001, %ebx; jne 2f; cmp $0x5a5a0002, %ebp; jne 2f; cmp $0x5a5a0003, %esi; jne 2f\n"
"	cmp %esp, tasks_esp; jne 2f\n"
"	pushf; testl $0x4000, (%esp); popf; jnz 2f\n"
"	mov %cr3, %eax; cmp $tasks_pdpt, %eax; jne 2f; incl tasks_progress\n"
"2:	ret\n"

	/* The others are loops: a switch away saves where they go on. EDI: their struct seen. */
"tasks_see:\n"
"	pushf; popl 4(%edi)\n"
"	mov %cr0, %eax; mov %eax, 8(%edi); clts\n"
"	mov %cr3, %eax; mov %eax, 12(%edi)\n"
"	str %eax; mov %eax, 16(%edi)\n"
"	mov %edi, 20(%edi)\n"
"	lea 4(%esp), %eax; mov %eax, 24(%edi)\n"
"	incl (%edi)\n"
"	ret\n"
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

static void prepare_task(enum tasks task, const char *entry)
{
	struct tss *tss = &tasks_tss[task];

	memset(&tasks_seen[task], 0, sizeof(tasks_seen[task]));
	*tss = (struct tss){
		.cr3 = pae_low(tasks_pdpt[task != MAIN]),
		.eip = pae_low(entry),
		.eflags = 2,
		.edi = pae_low(&tasks_seen[task]),
		.esp = pae_low(stacks[task] + STACK_SIZE),
		.es = PAE_FLAT_DATA,
		.cs = PAE_FLAT_CODE,
		.ss = PAE_FLAT_DATA,
		.ds = PAE_FLAT_DATA,
		.iomap = sizeof(*tss),
	};
	tasks_gdt[PAE_ENTRIES + task] = tss_descriptor(tss, sizeof(*tss) - 1, TSS_TYPE_32);
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
	tasks_idt[0] = tss_task_gate(PAE_TSS + 8 * DIVIDE, TSS_TASK_GATE);
	tasks_idt[13] = tss_task_gate(PAE_TSS + 8 * PROTECTION, TSS_TASK_GATE);
	tasks_idt[INTERRUPT] = tss_task_gate(PAE_TSS + 8 * GATE, TSS_TASK_GATE);
}

static bool is_busy(enum tasks task)
{
	return tasks_gdt[PAE_ENTRIES + task] >> 40 & TSS_BUSY;
}

static void check_task(enum tasks task, bool nested, uint32_t runs)
{
	const struct seen *s = &tasks_seen[task];
	const struct tss *tss = &tasks_tss[task];

	CHECK(s->runs == runs, "task %u ran %u times, not %u", task, s->runs, runs);
	CHECK(!!(s->flags & FLAG_NT) == nested, "task %u: EFLAGS 0x%x", task, s->flags);
	CHECK(s->cr0 & CR0_TS, "task %u: CR0 0x%x", task, s->cr0);
	CHECK(s->cr3 == pae_low(tasks_pdpt[1]), "task %u: CR3 0x%x", task, s->cr3);
	CHECK(s->tr == PAE_TSS + 8u * task, "task %u: TR 0x%x", task, s->tr);
	CHECK(s->edi == pae_low(s), "task %u: EDI 0x%x", task, s->edi);
	CHECK(!nested || tss->link == PAE_TSS, "task %u: link 0x%x", task, tss->link);
	CHECK(!(tss->eflags & FLAG_NT), "task %u: EFLAGS are kept as 0x%x", task, tss->eflags);
	CHECK(!is_busy(task), "task %u is still busy", task);
}

GUEST_TEST(switches_tasks)
{
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		prepare();
		tasks_progress = 0;
		guest_pae_call(tasks_main, tasks_pdpt[0], tasks_gdt, sizeof(tasks_gdt), tasks_idt,
			       sizeof(tasks_idt));
		CHECK(tasks_progress == 6, "round %u: came to step %u", round, tasks_progress);
		CHECK(is_busy(MAIN), "the main task is not busy");
		check_task(JUMPED, false, 1);
		for (enum tasks task = CALLED; task < TASKS; task++)
			check_task(task, true, 1);
		CHECK(tasks_seen[PROTECTION].error == SEGMENT, "error code 0x%x",
		      tasks_seen[PROTECTION].error);
		CHECK(tasks_seen[PROTECTION].esp == pae_low(stacks[PROTECTION] + STACK_SIZE) - 4,
		      "ESP 0x%x below the error code", tasks_seen[PROTECTION].esp);
	}
}
