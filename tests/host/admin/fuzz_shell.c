/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/shell.c admin/command.c admin/complete.c admin/line_edit.c admin/input.c */
/* test-sources: admin/attach.c admin/vm_commands.c admin/help.c admin/machine_commands.c */
/* test-sources: admin/plug_commands.c admin/words.c admin/pager.c admin/terminal.c */
/* test-sources: admin/vm_arg.c admin/text_commands.c admin/define.c admin/paste.c */
/* test-sources: admin/loadmod.c admin/loadmod_xmodem.c admin/xmodem.c admin/base64.c lib/parse.c */
/* test-sources: admin/transfer.c admin/ymodem.c admin/progress.c */
/* test-sources: tests/host/admin/fake_machine.c admin/sendkey.c */
/* test-sources: vmm/vm_console.c lib/ring.c tests/host/admin/fake.c tests/host/vmm/fake.c */
/* Any bytes typed at the shell: keys, lines, quotes, what is pasted behind `define` and `loadmod`.
 */
#include "tests/host/admin/fake.h"
#include "tests/host/vmm/fake.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *keys = malloc(size + 1);
	size_t len = 0;

	/* 0 ends what is typed here; a line of ours carries it as any control byte. */
	for (size_t i = 0; i < size; i++)
		keys[len++] = data[i] ? (char)data[i] : 1;
	keys[len] = '\0';
	(void)fake_setup(NULL);
	fake_person = size & 1;
	fake_terminal = size & 2 ? "\x1b[10;40R" : NULL;
	fake_shell(false, keys);
	/* How large the terminal is was typed, too, and stays: two rows would be a page. */
	fake_shell(false, "set paging off\rstart demo\rlist\r");
	if (!strstr(fake_screen, "NAME "))
		abort();
	fake_shell(false, "set paging auto\r");
	fake_clear_modules();
	(void)fake_teardown(NULL);
	free(keys);
	return 0;
}
