/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: admin/mux/mux.c admin/mux/mux_input.c admin/mux/mux_console.c */
/* test-sources: admin/mux/mux_frame.c admin/mux/mux_pipe.c lib/cobs.c lib/crc32c.c */
/* test-sources: lib/ring.c vmm/vm_console.c */
/* test-sources: tests/host/admin/mux_world.c tests/host/vmm/fake.c */
/*
 * Anything on a framed line, while VMs come, speak and go. An input is a row of
 * steps, each an op, a length and that many bytes: bytes of the line as they are, or
 * the content of a frame whose sum is right. Then a good session begins.
 */
#include "tests/host/admin/mux_world.h"

#include <stdlib.h>
#include <string.h>

enum fuzz_op {
	FUZZ_RAW,
	FUZZ_FRAME,
	FUZZ_CREDIT,
	FUZZ_START,
	FUZZ_STOP,
	FUZZ_SAY,
	FUZZ_TAKES,
	FUZZ_PIPE,
	FUZZ_OPS
};

static void frame(const uint8_t *data, size_t len)
{
	const uint8_t *message = data + MUX_HEADER_SIZE;

	if (len < MUX_HEADER_SIZE)
		return;
	if (data[0] == MUX_CONTROL && len == MUX_HEADER_SIZE + 4 && message[0] == MUX_CREDIT)
		world_end.limit[message[1]] = (uint16_t)(message[2] | message[3] << 8);
	world_frame(data[0], (uint16_t)(data[1] | data[2] << 8), data + MUX_HEADER_SIZE,
		    MIN(len - MUX_HEADER_SIZE, (size_t)MUX_PAYLOAD_MAX));
}

/* What a pipe is sent is said again; now and then another one takes its place. */
static void use_pipe(bool close)
{
	static struct console_pipe *pipe;
	char piece[100];
	size_t n;

	if (pipe && (close || pipe->over)) {
		pipe->framing->pipe_close(pipe);
		pipe = NULL;
	}
	if (!close && !pipe && world_line.framing)
		pipe = world_line.framing->pipe_open("a.gdb");
	while (pipe && (n = pipe->framing->pipe_read(pipe, piece, sizeof(piece))))
		pipe->framing->pipe_write(pipe, piece, n);
}

static void step(enum fuzz_op op, const uint8_t *data, size_t len)
{
	unsigned vm = len ? data[0] % WORLD_VMS : 0;

	switch (op) {
	case FUZZ_RAW:
		world_send(data, len);
		break;
	case FUZZ_FRAME:
		frame(data, len);
		break;
	case FUZZ_CREDIT:
		world_credit(world_end.vm_channel[vm],
			     (uint16_t)(world_end.pos[world_end.vm_channel[vm]] + 2 * len));
		break;
	case FUZZ_START:
		world_start(vm);
		break;
	case FUZZ_STOP:
		world_stop(vm);
		break;
	case FUZZ_PIPE:
		use_pipe(len && data[0] % 4 == 0);
		break;
	case FUZZ_SAY:
		world_says(vm, (const char *)data, len);
		break;
	default:
		world_guest_takes[vm] = len;
		world_shell_space = 16 * len;
		break;
	}
	world_run();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	world_reset();
	if (mux_start(&world_line))
		abort();
	while (size >= 2) {
		size_t len = MIN((size_t)data[1], size - 2);

		step(data[0] % FUZZ_OPS, data + 2, len);
		if (!world_line.framing && mux_start(&world_line))
			abort();
		data += 2 + len;
		size -= 2 + len;
	}
	world_shell_space = SIZE_MAX;
	world_send("\0\0\0\0\0mux on\r", 12);
	world_start(0);
	world_guest_takes[0] = SIZE_MAX;
	world_run();
	world_guest_len[0] = world_typed_len = 0;
	world_frame(world_end.vm_channel[0], 0, "hello", 5);
	world_frame(0, 0, "list", 4);
	use_pipe(true);
	if (world_typed_len != 4 || memcmp(world_typed, "list", 4) || world_guest_len[0] < 5)
		abort();
	return 0;
}
