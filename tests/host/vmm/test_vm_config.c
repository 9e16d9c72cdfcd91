/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: vmm/vm_config.c vmm/vm_config_apply.c vmm/vm_config_sections.c */
/* test-sources: lib/ini.c lib/parse.c tests/host/vmm/fake.c */
/* Configs: what they mean, and that every error names file, line, key and what was expected. */
#include "vmm/vm_config.h"

#include "kernel/boot_info.h"
#include "tests/host/vmm/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

MACHINE_PART(part_one, .machine = "pc", .text = "[device \"com1\"]\ntype = uart\n");
MACHINE_PART(part_two, .machine = "pc",
	     .text = "[device \"pic\"]\ntype = pic\n[device \"pit\"]\ntype = pit\nirq = 0\n");

static int parse(const char *text, struct vm_config **config)
{
	fake_log_clear();
	return vm_config_parse("t.cfg", text, strlen(text), config);
}

static struct vm_config *parse_ok(const char *text)
{
	struct vm_config *config = NULL;

	if (parse(text, &config))
		fail_msg("%s", fake_log);
	return config;
}

static void expect_error(const char *text, const char *message)
{
	struct vm_config *config = NULL;

	assert_int_equal(parse(text, &config), -EINVAL);
	if (!fake_logged(message))
		fail_msg("expected '%s' in: %s", message, fake_log);
	assert_int_equal(fake_objects, 0);
}

static void test_whole(void **state)
{
	struct vm_config *config = parse_ok("# a VM\n"
					    "[vm \"linux\"]\n"
					    "  cpus = 2\n"
					    "  memory = 512M\n"
					    "  autostart = true\n"
					    "  console = yes\n"
					    "  msr-unknown = ignore\n"
					    "  cpu-model = common\n"
					    "[boot]\n"
					    "  kernel = module:vmlinuz\n"
					    "  cmdline = \"console=ttyS0 # not a comment\"\n"
					    "[device \"ram0\"]\n"
					    "  type = ramdisk\n");
	struct vm_config_section *s;

	(void)state;
	assert_string_equal(config->name, "linux");
	assert_int_equal(config->cpus, 2);
	assert_int_equal(config->memory, 512u << 20);
	assert_true(config->autostart && config->console && config->msr_ignore &&
		    config->cpu_common);
	s = vm_config_section(config, "boot", "");
	assert_string_equal(vm_config_find_key(s, "cmdline")->value,
			    "console=ttyS0 # not a comment");
	assert_int_equal(vm_config_find_key(s, "cmdline")->line, 11);
	assert_null(vm_config_find_key(s, "initrd"));
	assert_non_null(vm_config_section(config, "device", "ram0"));
	assert_null(vm_config_section(config, "device", "ram1"));
	vm_config_free(config);
	assert_int_equal(fake_objects, 0);
}

static void test_defaults(void **state)
{
	struct vm_config *config = parse_ok("[vm \"v\"]\nmemory = 1M");

	(void)state;
	assert_int_equal(config->cpus, 1);
	assert_false(config->autostart || config->console || config->msr_ignore ||
		     config->cpu_common);
	assert_string_equal(config->machine, "pc");
	vm_config_free(config);
	vm_config_free(NULL);
}

static void test_machine(void **state)
{
	struct vm_config *config = parse_ok("[vm \"v\"]\nmemory = 1M\n"
					    "[device \"pit\"]\ntype = other\n");
	struct vm_config_section *s = config->sections;

	(void)state;
	assert_string_equal(s->id, "com1");
	assert_string_equal(s->next->id, "pic");
	assert_string_equal(s->next->next->kind, "vm");
	s = vm_config_section(config, "device", "pit");
	assert_string_equal(vm_config_find_key(s, "type")->value, "other");
	assert_null(vm_config_find_key(s, "irq"));
	vm_config_free(config);

	config = parse_ok("[vm \"v\"]\nmemory = 1M\nmachine = none\n");
	assert_null(vm_config_section(config, "device", ""));
	vm_config_free(config);
}

static void test_errors(void **state)
{
	(void)state;
	expect_error("", "t.cfg: [vm \"NAME\"] is missing");
	expect_error("a = b", "t.cfg:1: a: expected a [section]");
	expect_error("[vm \"v\"]\nmemory", "t.cfg:2: expected");
	expect_error("[vm \"v\"]\n", "t.cfg:1: [vm]: memory is missing");
	expect_error("[vm \"v\"]\nmemory = 0", "t.cfg:2: memory: expected whole MiB");
	expect_error("[vm \"v\"]\nmemory = 1000", "t.cfg:2: memory: expected");
	expect_error("[vm \"v\"]\nmemory = 1M\ncpus = 17",
		     "t.cfg:3: cpus: expected 1 to 16, got '17'");
	expect_error("[vm \"v\"]\nmemory = 1M\ncpus = 0", "t.cfg:3: cpus:");
	expect_error("[vm \"v\"]\nautostart = maybe", "t.cfg:2: autostart: expected true or false");
	expect_error("[vm \"v\"]\nmachine = mac", "t.cfg:2: machine: expected pc or none");
	expect_error("[vm \"v\"]\ncpu-model = 486", "t.cfg:2: cpu-model: expected host or common");
	expect_error("[vm \"v\"]\nmsr-unknown = 1", "t.cfg:2: msr-unknown: expected gp or ignore");
	expect_error("[vm \"v\"]\ncolour = red",
		     "t.cfg:2: colour: no such key: expected one of cpus");
	expect_error("[vm \"v\"]\nmemory = 1M\nmemory = 2M",
		     "t.cfg:3: memory: given already in line 2");
	expect_error("[vm]\nmemory = 1M", "t.cfg:1: [vm \"\"]: expected a name");
	expect_error("[vm \"a b\"]\nmemory = 1M", "t.cfg:1: [vm \"a b\"]: expected a name");
	expect_error("[vm \"a\"]\nmemory = 1M\n[vm \"b\"]\n", "t.cfg:3: [vm \"b\"]: there is one");
	expect_error("[boot]\n[boot]\n", "t.cfg:2: [boot \"\"]: there is one already in line 1");
	expect_error("[boot]\nkernle = x\n",
		     "t.cfg:2: kernle: no such key: expected one of kernel");
	expect_error("[device \"\"]\n", "t.cfg:1: [device \"\"]: expected an id");
	expect_error("[device \"a\"]\n[device \"a\"]\n", "t.cfg:2: [device \"a\"]: there is one");
	expect_error("[disk \"a\"]\n", "t.cfg:1: [disk]: no such section");
	expect_error("[vm \"01234567890123456789012345678901\"]\nmemory = 1M",
		     "expected a name of 1 to 31");
}

static void test_several_modules(void **state)
{
	struct vm_config *config = parse_ok("[vm \"v\"]\nmemory = 1M\n[boot]\nmodule = module:a x\n"
					    "module = module:b\nkernel = a\n");
	struct vm_config_section *boot = vm_config_section(config, "boot", "");

	(void)state;
	fake_add_module("a", "A", 1);
	assert_string_equal(vm_config_module(config, boot->keys)->data, "A");
	fake_log_clear();
	assert_null(vm_config_module(config, boot->keys->next));
	assert_true(fake_logged("t.cfg:5: module: expected module:NAME of a loaded module, got "
				"'module:b'; there are a"));
	assert_null(vm_config_module(config, boot->keys->next->next));
	assert_true(fake_logged("t.cfg:6: kernel: expected module:NAME"));
	/* What a guest writes to is nothing to make another of. */
	assert_true(boot_module_use(boot_module_find("a"), true));
	assert_null(vm_config_module(config, boot->keys));
	assert_true(fake_logged("t.cfg:4: module: a VM's disk writes to a now"));
	boot_module_unuse(boot_module_find("a"));
	assert_non_null(vm_config_module(config, boot->keys));
	fake_clear_modules();
	vm_config_free(config);
}

static void test_bounds(void **state)
{
	static char text[2 * VM_CONFIG_TEXT_MAX];
	struct vm_config *config;
	size_t at = 0;
	unsigned i;

	(void)state;
	memset(text, '\n', sizeof(text));
	assert_int_equal(vm_config_parse("t.cfg", text, VM_CONFIG_TEXT_MAX + 1, &config), -EINVAL);
	for (i = 0; i <= VM_CONFIG_SECTIONS_MAX; i++)
		at += sprintf(text + at, "[device \"d%u\"]\n", i);
	expect_error(text, "t.cfg:257: expected at most 256 sections");
	at = sprintf(text, "[boot]\n");
	for (i = 0; i <= VM_CONFIG_KEYS_MAX; i++)
		at += sprintf(text + at, "module = m%u\n", i);
	expect_error(text, "t.cfg:66: module: expected at most 64 keys");
}

static void test_no_memory(void **state)
{
	static const char text[] = "[vm \"v\"]\nmemory = 1M\n[boot]\nkernel = module:k\n";
	struct vm_config *config;
	long left;
	int err;

	(void)state;
	for (left = 0;; left++) {
		fake_memory_left = left;
		err = parse(text, &config);
		fake_memory_left = -1;
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(fake_objects, 0);
	}
	assert_true(left > 5);
	vm_config_free(config);
	assert_int_equal(fake_objects, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_machine),		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_several_modules), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
