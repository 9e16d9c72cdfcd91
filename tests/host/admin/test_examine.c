/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/examine.c admin/examine_format.c admin/guest_walk.c admin/info_guest.c */
/* test-sources: admin/disassemble.c */
/* test-sources: lib/parse.c tests/host/vmm/fake.c */
/* `x`, `xp` and `info tlb` over a guest's 2 MiB, by page tables of each kind. */
#include "admin/command.h"
#include "admin/guest_walk.h"
#include "admin/vm_arg.h"
#include "kernel/console.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/hv_ops.h"
#include "vmm/vm.h"
#include "vmm/vm_life.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SIZE	 (2u << 20)
#define PRESENT	 1u
#define WRITE	 2u
#define USER	 4u
#define LARGE	 0x80u
#define NX	 (UINT64_C(1) << 63)
#define CR0_PG	 (UINT64_C(1) << 31)
#define CR4_PSE	 0x10u
#define CR4_PAE	 0x20u
#define EFER_LMA 0x400u

static uint8_t ram[SIZE] __attribute__((aligned(SIZE)));
static uint8_t *granules[] = {ram};
static struct guest_memory memory = {
	.low_end = SIZE, .high_end = GUEST_HIGH_BASE, .granules = granules, .granule_count = 1};
static struct vm vm = {.name = "demo", .memory = &memory, .vcpu_count = 1};
static struct vcpu vcpu = {.vm = &vm};
static struct vcpu_mode mode;
static char screen[65536 * 2];
static unsigned failures, begun;

void console_write(const char *s, size_t len)
{
	size_t at = strlen(screen);

	assert_true(at + len < sizeof(screen));
	memcpy(screen + at, s, len);
	screen[at + len] = '\0';
}

void console_printf(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	console_write(text, strlen(text));
}

void command_error(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	console_write(text, strlen(text));
	failures++;
}

int guest_read(struct vm *v, gpa_t gpa, void *buf, size_t len)
{
	const uint8_t *p = guest_memory_ptr(v->memory, gpa, len);

	if (!p)
		return -EFAULT;
	memcpy(buf, p, len);
	return 0;
}

struct vcpu *vcpu_still_begin(const char *arg, enum vm_state *state)
{
	*state = VM_RUNNING;
	assert_true(!arg || !strcmp(arg, "demo.0"));
	begun++;
	return &vcpu;
}

void vcpu_still_end(struct vcpu *v, enum vm_state state)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(state, VM_RUNNING);
	begun--;
}

struct vm *vm_arg_begin(const char *name, enum vm_state *state)
{
	(void)name;
	*state = VM_RUNNING;
	return &vm;
}

void vm_life_end(struct vm *v, enum vm_state state)
{
	(void)v;
	(void)state;
}

unsigned irq_line_users(struct vm *v, unsigned gsi, unsigned *asserting)
{
	(void)v;
	*asserting = gsi == 9;
	return gsi == 9 || gsi == 4;
}

void device_timer_for_each(struct vm *v,
			   void (*fn)(void *opaque, const struct device *dev, uint64_t ns),
			   void *opaque)
{
	static const struct device pit = {.id = "pit"}, rtc = {.id = "rtc"}, pm = {.id = "pm"};

	(void)v;
	fn(opaque, &pit, 7000);
	fn(opaque, &rtc, UINT64_MAX);
	fn(opaque, &pm, 1);
}

uint64_t vm_time_ns(const struct vm *v)
{
	(void)v;
	return 5000;
}

uint64_t vcpu_gpr(struct vcpu *v, unsigned n)
{
	(void)v;
	return 0x1000 + n;
}

static void get_mode(struct vcpu *v, struct vcpu_mode *m)
{
	(void)v;
	*m = mode;
}

static uint64_t get_reg(struct vcpu *v, enum vcpu_reg reg)
{
	(void)v;
	return 0x2000u + reg;
}

static void get_seg(struct vcpu *v, enum vcpu_seg seg, struct vcpu_segment *s)
{
	(void)v;
	*s = (struct vcpu_segment){.selector = (uint16_t)(8 * seg), .base = seg};
}

static unsigned get_cpl(struct vcpu *v)
{
	(void)v;
	return 3;
}

static const struct hv_ops ops = {
	.get_mode = get_mode, .get_reg = get_reg, .get_seg = get_seg, .get_cpl = get_cpl};
const struct hv_ops *hv_ops = &ops;

static const char *run_words(const char *name, const char *first, const char *second)
{
	char words[3][64];
	char *argv[4] = {words[0], words[1], second ? words[2] : NULL, NULL};
	const struct command *c;
	size_t len = strcspn(name, "/");

	screen[0] = '\0';
	failures = 0;
	snprintf(words[0], sizeof(words[0]), "%s", name);
	snprintf(words[1], sizeof(words[1]), "%s", first ? first : "");
	snprintf(words[2], sizeof(words[2]), "%s", second ? second : "");
	if (!first)
		argv[1] = NULL;
	for (c = TABLE_START(commands); c < TABLE_END(commands); c++)
		if (strlen(c->name) == len && !memcmp(c->name, name, len))
			c->run(argv);
	for (c = TABLE_START(info_topics); c < TABLE_END(info_topics); c++)
		if (!strcmp(c->name, name))
			c->run(argv);
	assert_int_equal(begun, 0);
	return screen;
}

static void put32(unsigned at, uint32_t value)
{
	memcpy(ram + at, &value, 4);
}

static void put64(unsigned at, uint64_t value)
{
	memcpy(ram + at, &value, 8);
}

static int setup(void **state)
{
	(void)state;
	memset(ram, 0, sizeof(ram));
	memset(&mode, 0, sizeof(mode));
	put64(0x7c00, UINT64_C(0x8877665544332211));
	strcpy((char *)ram + 0x7000, "text \x01\xe4\"");
	return 0;
}

static void test_formats(void **state)
{
	(void)state;
	assert_string_equal(run_words("xp/2xg", "0x7c00", NULL),
			    "0000000000007c00: 0x8877665544332211 0x0000000000000000\n");
	assert_string_equal(run_words("xp/3xb", "0x7c00", NULL),
			    "0000000000007c00: 0x11 0x22 0x33\n");
	assert_string_equal(run_words("xp/5", "0x7c00", NULL),
			    "0000000000007c00: 0x44332211 0x88776655 0x00000000 0x00000000\n"
			    "0000000000007c10: 0x00000000\n");
	assert_string_equal(run_words("xp/dh", "0x7c06", NULL), "0000000000007c06: -30601\n");
	assert_string_equal(run_words("xp/uh", "0x7c06", NULL), "0000000000007c06:  34935\n");
	assert_string_equal(run_words("xp/ob", "0x7c00", NULL), "0000000000007c00: 0021\n");
	assert_string_equal(run_words("xp/dg", "0x7c00", NULL),
			    "0000000000007c00: -8613303245920329199\n");
	assert_string_equal(run_words("xp/6c", "0x7000", NULL),
			    "0000000000007000: 't'  'e'  'x'  't'  ' '  '\\x01'\n");
	assert_string_equal(run_words("xp/2s", "0x7000", NULL),
			    "0000000000007000: \"text \\x01\\xe4\"\"\n0000000000007009: \"\"\n");
	assert_string_equal(run_words("xp", "demo.0", "0x7c00"), "0000000000007c00: 0x44332211\n");
}

static void test_bad_input(void **state)
{
	static const char *const formats[] = {"x/0",  "x/4097", "x/99999999999", "x/ii",
					      "x/xx", "x/bb",	"x/x8",		 "x/-1"};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		assert_non_null(strstr(run_words(formats[i], "0", NULL), "expected /COUNT"));
		assert_int_equal(failures, 1);
	}
	assert_non_null(strstr(run_words("x", "here", NULL), "here: expected an address"));
	assert_non_null(strstr(run_words("xp", "0x1fffff", NULL), "0x200000: no RAM"));
	assert_string_equal(run_words("xp", "0xa0000", NULL), "0xa0000: no RAM of the VM there\n");
	run_words("xp/8xg", "0xfffffffffffffffc", NULL);
	assert_int_equal(failures, 1);
	memset(ram + 0x10000, 'a', 0x1000);
	run_words("xp/s", "0x10000", NULL);
	assert_non_null(strstr(screen, "aaa\"…\n"));
}

/* In each mode; across pages that lie apart; what is no instruction; what is not all there. */
static void test_instructions(void **state)
{
	static const uint8_t code[] = {0x48, 0x8b, 0x44, 0x24, 0x08, /* mov */
				       0x0f, 0x0b,		     /* ud2 */
				       0xf0, 0x90,		     /* LOCK does not go with NOP */
				       0xe8, 0x00, 0x01, 0x00, 0x00};

	(void)state;
	memcpy(ram + 0x7c00, code, sizeof(code));
	mode = (struct vcpu_mode){.efer = EFER_LMA, .cs = {.attrib = 0x200}};
	assert_string_equal(run_words("xp/5i", "0x7c00", NULL),
			    "0000000000007c00: 48 8b 44 24 08          mov 0x8(%rsp), %rax\n"
			    "0000000000007c05: 0f 0b                   ud2\n"
			    "0000000000007c07: f0                      (bad)\n"
			    "0000000000007c08: 90                      nop\n"
			    "0000000000007c09: e8 00 01 00 00          call 0x7d0e\n");
	mode = (struct vcpu_mode){.cs = {.attrib = 0x400}};
	assert_string_equal(run_words("xp/2i", "0x7c00", NULL),
			    "0000000000007c00: 48                      dec %eax\n"
			    "0000000000007c01: 8b 44 24 08             mov 0x8(%esp), %eax\n");
	mode = (struct vcpu_mode){0};
	assert_string_equal(run_words("xp/i", "0x7c00", NULL),
			    "0000000000007c00: 48                      dec %ax\n");
	memcpy(ram + 0x8ffe, code, 5);
	mode = (struct vcpu_mode){.efer = EFER_LMA, .cs = {.attrib = 0x200}};
	assert_non_null(strstr(run_words("xp/i", "0x8ffe", NULL), "mov 0x8(%rsp), %rax\n"));
	memcpy(ram + SIZE - 2, code, 2);
	assert_string_equal(run_words("xp/i", "0x1ffffe", NULL),
			    "0x200000: no RAM of the VM there\n");
	assert_int_equal(failures, 1);
	ram[SIZE - 1] = 0x90;
	assert_string_equal(run_words("xp/i", "0x1fffff", NULL),
			    "00000000001fffff: 90                      nop\n");
}

static void test_no_paging(void **state)
{
	(void)state;
	assert_string_equal(run_words("x/xg", "0x7c00", NULL),
			    "0000000000007c00: 0x8877665544332211\n");
	assert_string_equal(run_words("tlb", NULL, NULL),
			    "no paging: addresses are guest-physical\n");
}

static void test_4_levels(void **state)
{
	(void)state;
	mode = (struct vcpu_mode){.cr0 = CR0_PG, .cr4 = CR4_PAE, .efer = EFER_LMA, .cr3 = 0x1000};
	put64(0x1000 + 511 * 8, 0x2000 | PRESENT | WRITE); /* 0xffffff8000000000 */
	put64(0x2000 + 510 * 8, 0x3000 | PRESENT | WRITE); /* + 0x7f80000000 */
	put64(0x2000 + 511 * 8, 0x40000000 | PRESENT | LARGE | WRITE | NX);
	put64(0x3000, PRESENT | LARGE | WRITE | USER);
	put64(0x3008, 0x4000 | PRESENT | USER);
	put64(0x4000, 0x7000 | PRESENT | WRITE | NX);
	put64(0x4008, 0x8000 | PRESENT | WRITE | NX);
	put64(0x4010, 0x7000 | PRESENT);
	assert_string_equal(run_words("x/xg", "0xffffffff80007c00", NULL),
			    "ffffffff80007c00: 0x8877665544332211\n");
	assert_string_equal(run_words("x/xg", "0xffffffff80200c00", NULL),
			    "ffffffff80200c00: 0x8877665544332211\n");
	/* Across pages that lie apart: the end of 0x8000's and the begin of 0x7000's. */
	put32(0x8ffc, 0x12345678);
	assert_string_equal(run_words("x/xg", "0xffffffff80201ffc", NULL),
			    "ffffffff80201ffc: 0x7478657412345678\n");
	assert_string_equal(run_words("x", "0xffffffff80203000", NULL),
			    "0xffffffff80203000: no page there\n");
	assert_string_equal(run_words("x", "0x0000ffff80000000", NULL),
			    "0xffff80000000: no page there\n");
	assert_string_equal(run_words("x", "0xffffffffc0000000", NULL),
			    "0x40000000: no RAM of the VM there\n");
	assert_string_equal(run_words("tlb", NULL, NULL),
			    "ffffffff80000000-ffffffff801fffff -> 000000000000 -wx\n"
			    "ffffffff80200000-ffffffff80201fff -> 000000007000 ---\n"
			    "ffffffff80202000-ffffffff80202fff -> 000000007000 --x\n"
			    "ffffffffc0000000-ffffffffffffffff -> 000040000000 -w-\n");
}

static void test_pae(void **state)
{
	(void)state;
	mode = (struct vcpu_mode){.cr0 = CR0_PG, .cr4 = CR4_PAE, .cr3 = 0x1020};
	put64(0x1020 + 3 * 8, 0x3000 | PRESENT);
	put64(0x3000, PRESENT | LARGE | WRITE | USER);
	assert_string_equal(run_words("x/xg", "0xc0007c00", NULL),
			    "00000000c0007c00: 0x8877665544332211\n");
	assert_string_equal(run_words("x", "0x80007c00", NULL), "0x80007c00: no page there\n");
	assert_string_equal(run_words("tlb", NULL, NULL),
			    "00000000c0000000-00000000c01fffff -> 000000000000 uwx\n");
}

static void test_32_bits(void **state)
{
	(void)state;
	mode = (struct vcpu_mode){.cr0 = CR0_PG, .cr4 = CR4_PSE, .cr3 = 0x1000};
	put32(0x1000 + 4 * 768, PRESENT | LARGE | WRITE);
	put32(0x1000 + 4 * 769, PRESENT | LARGE | 1 << 13); /* PSE-36: at 4 GiB */
	put32(0x1000 + 4, 0x2000 | PRESENT | USER);
	put32(0x2000 + 4, 0x7000 | PRESENT | USER | WRITE);
	assert_string_equal(run_words("x/xg", "0xc0007c00", NULL),
			    "00000000c0007c00: 0x8877665544332211\n");
	assert_string_equal(run_words("x/xg", "0x401c00", NULL),
			    "0000000000401c00: 0x8877665544332211\n");
	assert_string_equal(run_words("tlb", NULL, NULL),
			    "0000000000401000-0000000000401fff -> 000000007000 u-x\n"
			    "00000000c0000000-00000000c03fffff -> 000000000000 -wx\n"
			    "00000000c0400000-00000000c07fffff -> 000100000000 --x\n");
	mode.cr4 = 0; /* no large pages: the entry is a table at 0 */
	assert_string_equal(run_words("x", "0xc0000000", NULL), "0xc0000000: no page there\n");
}

/* Tables that are their own: the walk has an end. */
static void test_endless_tables(void **state)
{
	(void)state;
	mode = (struct vcpu_mode){.cr0 = CR0_PG, .cr4 = CR4_PAE, .efer = EFER_LMA, .cr3 = 0x1000};
	for (unsigned i = 0; i < 512; i++)
		put64(0x1000 + 8 * i, 0x1000 | PRESENT | (i % 2 ? WRITE : 0));
	run_words("tlb", NULL, NULL);
	assert_non_null(strstr(screen, "more than 1000 lines"));
	for (unsigned i = 0; i < 512; i++)
		put64(0x1000 + 8 * i, (i < 511 ? 0x1000 : 0x300000) | PRESENT | WRITE);
	run_words("tlb", NULL, NULL);
	assert_non_null(strstr(screen, "more than 1000 lines"));
}

static void test_info(void **state)
{
	(void)state;
	run_words("registers", "demo.0", NULL);
	assert_non_null(strstr(screen, "RSP 0000000000001004"));
	assert_non_null(strstr(screen, "R15 000000000000100f"));
	assert_non_null(strstr(screen, "CPL 3"));
	assert_non_null(strstr(screen, "CS  0008 0000000000000001"));
	assert_non_null(strstr(screen, "EFER  0000000000002009"));
	assert_string_equal(run_words("irqs", "demo", NULL),
			    "LINE  USERS  LEVEL\n   4      1    low\n   9      1   high\n");
	assert_string_equal(run_words("timers", "demo", NULL),
			    "the guest's clock: 5 us\npit              in 2 us\n"
			    "rtc              off\npm               due\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_formats, setup),
		cmocka_unit_test_setup(test_instructions, setup),
		cmocka_unit_test_setup(test_bad_input, setup),
		cmocka_unit_test_setup(test_no_paging, setup),
		cmocka_unit_test_setup(test_4_levels, setup),
		cmocka_unit_test_setup(test_pae, setup),
		cmocka_unit_test_setup(test_32_bits, setup),
		cmocka_unit_test_setup(test_endless_tables, setup),
		cmocka_unit_test_setup(test_info, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
