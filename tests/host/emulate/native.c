/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/host/emulate/native.h"

#include <string.h>
#include <sys/mman.h>

/* What the 32-bit half shares with us, and a stack for it, behind the code's page. */
#define NATIVE_LOW	 (NATIVE_CODE + 0x1000)
#define NATIVE_THUNKS	 (NATIVE_CODE + 0x2000)
#define NATIVE_USER_CS32 0x23
#define NATIVE_USER_DS	 0x2b

struct native_low {
	uint32_t gpr[8];
	uint32_t flags;
	uint32_t insn; /* where to jump in 32-bit mode */
	uint64_t back; /* where to jump in 64-bit mode again */
	uint32_t stack[64];
	uint32_t stack_top; /* flags are popped from here */
};

_Static_assert(NATIVE_LOW == 0x20001000 && NATIVE_THUNKS == 0x20002000, "used in assembly");
_Static_assert(__builtin_offsetof(struct native_low, flags) == 0x20, "used in assembly");
_Static_assert(__builtin_offsetof(struct native_low, insn) == 0x24, "used in assembly");
_Static_assert(__builtin_offsetof(struct native_low, back) == 0x28, "used in assembly");
_Static_assert(__builtin_offsetof(struct native_low, stack_top) == 0x130, "used in assembly");

/* Reached from assembly by name. */
extern uint64_t native_gpr[16], native_flags, native_host_rsp;
extern const char native_thunks[], native_thunks_end[], native_exit[], native_back[];
extern struct native_far {
	uint32_t offset;
	uint16_t selector;
} __attribute__((packed)) native_far;
uint64_t native_gpr[16], native_flags, native_host_rsp, native_target;
struct native_far native_far;
void native_enter(void);
void native_enter_32(void);

__asm__(".text\n"
	"native_enter:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, native_host_rsp(%rip)\n"
	"	push native_flags(%rip); popfq\n"
	"	mov native_gpr+0(%rip), %rax\n"
	"	mov native_gpr+8(%rip), %rcx\n"
	"	mov native_gpr+16(%rip), %rdx\n"
	"	mov native_gpr+24(%rip), %rbx\n"
	"	mov native_gpr+32(%rip), %rsp\n"
	"	mov native_gpr+40(%rip), %rbp\n"
	"	mov native_gpr+48(%rip), %rsi\n"
	"	mov native_gpr+56(%rip), %rdi\n"
	"	mov native_gpr+64(%rip), %r8\n"
	"	mov native_gpr+72(%rip), %r9\n"
	"	mov native_gpr+80(%rip), %r10\n"
	"	mov native_gpr+88(%rip), %r11\n"
	"	mov native_gpr+96(%rip), %r12\n"
	"	mov native_gpr+104(%rip), %r13\n"
	"	mov native_gpr+112(%rip), %r14\n"
	"	mov native_gpr+120(%rip), %r15\n"
	"	jmp *native_target(%rip)\n"
	"native_exit:\n"
	"	mov %rax, native_gpr+0(%rip)\n"
	"	mov %rcx, native_gpr+8(%rip)\n"
	"	mov %rdx, native_gpr+16(%rip)\n"
	"	mov %rbx, native_gpr+24(%rip)\n"
	"	mov %rsp, native_gpr+32(%rip)\n"
	"	mov %rbp, native_gpr+40(%rip)\n"
	"	mov %rsi, native_gpr+48(%rip)\n"
	"	mov %rdi, native_gpr+56(%rip)\n"
	"	mov %r8, native_gpr+64(%rip)\n"
	"	mov %r9, native_gpr+72(%rip)\n"
	"	mov %r10, native_gpr+80(%rip)\n"
	"	mov %r11, native_gpr+88(%rip)\n"
	"	mov %r12, native_gpr+96(%rip)\n"
	"	mov %r13, native_gpr+104(%rip)\n"
	"	mov %r14, native_gpr+112(%rip)\n"
	"	mov %r15, native_gpr+120(%rip)\n"
	"	mov native_host_rsp(%rip), %rsp\n"
	"	pushfq; pop native_flags(%rip)\n"
	"	cld\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	/* Into compatibility mode, whose data segments must not be null. */
	"native_enter_32:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, native_host_rsp(%rip)\n"
	"	mov $0x2b, %eax; mov %eax, %ds; mov %eax, %es\n"
	"	ljmp *native_far(%rip)\n"
	"native_back:\n"
	"	mov native_host_rsp(%rip), %rsp\n"
	"	xor %eax, %eax; mov %eax, %ds; mov %eax, %es\n"
	"	cld\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	/* Copied to NATIVE_THUNKS: addresses are absolute or relative within. */
	".code32\n"
	"native_thunks:\n"
	"	mov $0x20001130, %esp; popfl\n"
	"	mov 0x20001000, %eax\n"
	"	mov 0x20001004, %ecx\n"
	"	mov 0x20001008, %edx\n"
	"	mov 0x2000100c, %ebx\n"
	"	mov 0x20001010, %esp\n"
	"	mov 0x20001014, %ebp\n"
	"	mov 0x20001018, %esi\n"
	"	mov 0x2000101c, %edi\n"
	"	jmp *0x20001024\n"
	".org native_thunks+0x80\n"
	"	mov %eax, 0x20001000\n"
	"	mov %ecx, 0x20001004\n"
	"	mov %edx, 0x20001008\n"
	"	mov %ebx, 0x2000100c\n"
	"	mov %esp, 0x20001010\n"
	"	mov %ebp, 0x20001014\n"
	"	mov %esi, 0x20001018\n"
	"	mov %edi, 0x2000101c\n"
	"	mov $0x20001130, %esp\n"
	"	pushfl; popl 0x20001020\n"
	"	ljmp $0x33, $0x20002100\n"
	".org native_thunks+0x100\n"
	".code64\n"
	"	jmp *0x20001028\n"
	"native_thunks_end:\n");

static struct native_low *native_low(void)
{
	return (struct native_low *)NATIVE_LOW;
}

static bool native_map(uint64_t address, uint64_t size, int protection)
{
	void *wanted = (void *)address;

	return mmap(wanted, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		    0) == wanted;
}

bool native_init(void)
{
	if (!native_map(NATIVE_CODE, 0x3000, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    !native_map(NATIVE_SCRATCH, NATIVE_SCRATCH_SIZE, PROT_READ | PROT_WRITE))
		return false;
	memcpy((void *)NATIVE_THUNKS, native_thunks, (size_t)(native_thunks_end - native_thunks));
	return true;
}

bool native_has_32(void)
{
	uint32_t rights = 0;
	bool valid;

	/* A code segment, 32-bit, present, for user mode. */
	__asm__("lar %2, %0; setz %1" : "=r"(rights), "=q"(valid) : "r"(NATIVE_USER_CS32));
	return valid && (rights & 0x60f800) == 0x40f800;
}

uint16_t native_selector(unsigned int seg, bool bits32)
{
	uint16_t s = 0;

	if (bits32 && seg == 1)
		return NATIVE_USER_CS32;
	if (bits32 && (seg == 0 || seg == 3))
		return NATIVE_USER_DS;
	switch (seg) {
	case 0:
		__asm__("mov %%es, %0" : "=r"(s));
		break;
	case 1:
		__asm__("mov %%cs, %0" : "=r"(s));
		break;
	case 2:
		__asm__("mov %%ss, %0" : "=r"(s));
		break;
	case 3:
		__asm__("mov %%ds, %0" : "=r"(s));
		break;
	case 4:
		__asm__("mov %%fs, %0" : "=r"(s));
		break;
	case 5:
		__asm__("mov %%gs, %0" : "=r"(s));
		break;
	}
	return s;
}

static void native_run_32(uint8_t *end, struct native_state *state)
{
	struct native_low *low = native_low();

	*end++ = 0xe9; /* JMP rel32 to the second thunk */
	memcpy(end, &(uint32_t){(uint32_t)(NATIVE_THUNKS + 0x80 - ((uint64_t)end + 4))}, 4);
	for (int i = 0; i < 8; i++)
		low->gpr[i] = (uint32_t)state->gpr[i];
	low->stack_top = (uint32_t)state->flags;
	low->insn = (uint32_t)NATIVE_CODE;
	low->back = (uint64_t)native_back;
	native_far.offset = (uint32_t)NATIVE_THUNKS;
	native_far.selector = NATIVE_USER_CS32;
	native_enter_32();
	for (int i = 0; i < 8; i++)
		state->gpr[i] = low->gpr[i];
	state->flags = low->flags;
}

void native_run(const uint8_t *bytes, unsigned int len, struct native_state *state, bool bits32)
{
	uint8_t *code = (uint8_t *)NATIVE_CODE;

	memcpy(code, bytes, len);
	if (bits32) {
		native_run_32(code + len, state);
		return;
	}
	memcpy(code + len, "\xff\x25\0\0\0\0", 6); /* JMP [RIP] */
	memcpy(code + len + 6, &(uint64_t){(uint64_t)native_exit}, 8);
	memcpy(native_gpr, state->gpr, sizeof(native_gpr));
	native_flags = state->flags;
	native_target = NATIVE_CODE;
	native_enter();
	memcpy(state->gpr, native_gpr, sizeof(native_gpr));
	state->flags = native_flags;
}
