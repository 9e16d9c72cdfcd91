/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/shell.c admin/command.c admin/complete.c admin/line_edit.c admin/input.c */
/* test-sources: admin/attach.c admin/vm_commands.c admin/help.c admin/machine_commands.c */
/* test-sources: admin/plug_commands.c admin/words.c admin/pager.c admin/terminal.c */
/* test-sources: admin/vm_arg.c admin/text_commands.c admin/dominfo.c lib/parse.c admin/qmp */
/* test-sources: tests/host/admin/fake_machine.c tests/host/admin/qmp_world.c admin/sendkey.c */
/* test-sources: vmm/vm_console.c lib/ring.c tests/host/admin/fake.c tests/host/vmm/fake.c */
/*
 * Any lines as requests, in the shell (an odd number of bytes) or on the protocol's own line. There
 * each that is not blank is answered by one line, all that is said is JSON, and the next request is
 * answered.
 */
#include "tests/host/admin/fake.h"
#include "tests/host/vmm/fake.h"

#include "admin/qmp/qmp.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether the line at @s is one JSON value as far as brackets and strings tell. */
static bool whole(const char *s, const char *end)
{
	unsigned depth = 0;
	bool string = false;

	for (; s < end; s++) {
		if ((unsigned char)*s < 0x20)
			return false;
		if (string && *s == '\\')
			s++;
		else if (*s == '"')
			string = !string;
		else if (!string && strchr("{[", *s))
			depth++;
		else if (!string && strchr("}]", *s) && !depth--)
			return false;
		if (!depth)
			return s + 1 == end;
	}
	return false;
}

/* All that is said on the protocol's line; how many answers there were before the one to "end". */
static unsigned answers(void)
{
	const char *line = strstr(fake_screen, "\n{\"QMP\""), *end;
	unsigned n = 0;

	if (!line)
		abort();
	for (line = strchr(line + 1, '\n') + 1; (end = strchr(line, '\n')); line = end + 1) {
		if (!whole(line, end))
			abort();
		if (end > line + 12 && !memcmp(end - 12, "\"id\": \"end\"}", 12))
			return n;
		n += !strncmp(line, "{\"return\"", 9) || !strncmp(line, "{\"error\"", 8);
	}
	abort();
}

/* Types @size bytes with @before and @behind them; 0 ends what is typed here. */
static void type(const char *before, const uint8_t *data, size_t size, const char *behind)
{
	size_t len = strlen(before), end = strlen(behind);
	char *keys = malloc(len + size + end + 1);

	memcpy(keys, before, len);
	for (size_t i = 0; i < size; i++)
		keys[len++] = data[i] ? (char)data[i] : 1;
	memcpy(keys + len, behind, end + 1);
	(void)fake_setup(NULL);
	fake_shell(false, keys);
	free(keys);
}

static bool has(const uint8_t *data, size_t size, const char *text)
{
	return memmem(data, size, text, strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char end[] = "\r{\"execute\": \"list\", \"id\": \"end\"}\r"
				  "{\"execute\": \"qmp_quit\"}\r";
	unsigned lines = 0, ctrl = 0;
	bool blank = true;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\r' || data[i] == '\n') {
			lines += !blank;
			blank = true;
		} else if (!strchr(" \t\x11\x13", data[i]) || !data[i]) { /* nor XON and XOFF */
			blank = false;
		}
		ctrl += data[i] == 0x03 || data[i] == 0x1d;
	}
	lines += !blank;
	if (size & 1) {
		type("", data, size, "\x1d\x03\r{\"execute\": \"qmp_quit\"}\r");
	} else if (size < 16384) {
		type("{\"execute\": \"qmp_capabilities\"}\r", data, size, end);
		/* Who leaves, or says much, or gives lines up is not counted. */
		if (!has(data, size, "quit") && !has(data, size, "\\u") &&
		    !has(data, size, "flood") && !has(data, size, "much") &&
		    !has(data, size, "schema") && size < 512) {
			unsigned n = answers() - 1; /* to qmp_capabilities */

			if (ctrl ? n > lines + ctrl : n != lines)
				abort();
		}
	}
	(void)fake_teardown(NULL);
	return 0;
}
