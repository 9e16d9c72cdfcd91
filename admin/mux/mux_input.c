/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes over a framed line: nothing that is wrong changes more than a count. */
#include "admin/mux/mux.h"

#include <string.h>

#define MUX_BITE  256 /* bytes between two looks for a stop … */
#define MUX_BITES 64  /* … and looks before something is shown */

void mux_count_error(enum mux_error error, uint8_t channel)
{
	mux->errors[error].count++;
	mux->errors[error].channel = channel;
	mux->errors[error].told = false;
}

uint16_t mux_count_gap(uint8_t channel, uint16_t expected, const struct mux_frame *frame)
{
	if (frame->pos != expected)
		mux_count_error(MUX_ERROR_GAP, channel);
	return (uint16_t)(frame->pos + frame->len);
}

/* One record for all of a kind, or a broken line would be answered with more than it brings. */
static void mux_tell_errors(void)
{
	for (unsigned i = 0; i < MUX_ERRORS && mux->sink; i++) {
		uint32_t count = mux->errors[i].count;
		const uint8_t message[] = {MUX_ERROR,
					   (uint8_t)i,
					   mux->errors[i].channel,
					   (uint8_t)count,
					   (uint8_t)(count >> 8),
					   (uint8_t)(count >> 16),
					   (uint8_t)(count >> 24)};

		if (!count || mux->errors[i].told)
			continue;
		mux->errors[i].told = true;
		mux_tell(message, sizeof(message));
	}
}

void mux_shell_credit(bool again)
{
	size_t space = MIN(console_input_space(), (size_t)MUX_SHELL_WINDOW);
	size_t promised = (uint16_t)(mux->shell_limit - mux->shell_pos);

	/* More has come than was promised. */
	if (promised > MUX_SHELL_WINDOW)
		promised = 0;
	if (!again && space < promised + MUX_SHELL_WINDOW / 2)
		return;
	/* Who types on another line takes of the space, but not of what was promised. */
	mux->shell_limit = (uint16_t)(mux->shell_pos + MAX(space, promised));
	mux_tell_credit(CONSOLE_STREAM_SHELL, mux->shell_limit);
}

static void mux_shell_input(const struct mux_frame *frame)
{
	size_t len = MIN(frame->len, console_input_space());

	mux->shell_pos = mux_count_gap(CONSOLE_STREAM_SHELL, mux->shell_pos, frame);
	if (len < frame->len)
		mux_count_error(MUX_ERROR_OVERRUN, CONSOLE_STREAM_SHELL);
	console_input(mux->sink, (const char *)frame->data, len);
}

/* Whoever asks may have missed what was said before. To many that ask at once, one answer: it is
 * long. */
static void mux_pong(void)
{
	uint8_t message[1 + MUX_PING_MAX] = {MUX_PONG};

	mux->pinged = false;
	memcpy(message + 1, mux->ping, mux->ping_len);
	mux_tell(message, 1 + mux->ping_len);
	mux_tell_open(CONSOLE_STREAM_SHELL, MUX_KIND_SHELL, "shell");
	mux_tell_open(CONSOLE_STREAM_LOG, MUX_KIND_LOG, "log");
	mux_shell_credit(true);
	for (unsigned i = 0; i < MUX_CONSOLES; i++)
		if (mux->channels[i])
			mux_console_tell(mux->channels[i]);
}

static void mux_control_input(const struct mux_frame *frame)
{
	const uint8_t *message = frame->data;
	struct mux_channel *channel;

	mux->control_pos = mux_count_gap(MUX_CONTROL, mux->control_pos, frame);
	if (frame->len >= 1 && message[0] == MUX_PING) {
		mux->ping_len = (uint8_t)MIN(frame->len - 1, (size_t)MUX_PING_MAX);
		memcpy(mux->ping, message + 1, mux->ping_len);
		mux->pinged = true;
	} else if (frame->len == 1 && message[0] == MUX_OFF) {
		mux_stop();
	} else if (frame->len == 4 && message[0] == MUX_CREDIT) {
		channel = mux_channel(message[1]);
		if (channel)
			channel->out_limit = (uint16_t)(message[2] | message[3] << 8);
		else
			mux_count_error(MUX_ERROR_CHANNEL, message[1]);
	} else {
		mux_count_error(MUX_ERROR_MESSAGE, MUX_CONTROL);
	}
}

static void mux_frame_input(const struct mux_frame *frame)
{
	struct mux_channel *channel = mux_channel(frame->channel);

	if (frame->channel == CONSOLE_STREAM_SHELL)
		mux_shell_input(frame);
	else if (frame->channel == MUX_CONTROL)
		mux_control_input(frame);
	else if (channel)
		mux_console_input(channel, frame);
	else
		mux_count_error(MUX_ERROR_CHANNEL, frame->channel);
}

static void mux_byte(uint8_t byte)
{
	static const enum mux_error errors[] = {
		[MUX_BAD_COBS] = MUX_ERROR_COBS,
		[MUX_BAD_CRC] = MUX_ERROR_CRC,
		[MUX_TOO_LONG] = MUX_ERROR_TOO_LONG,
		[MUX_TOO_SHORT] = MUX_ERROR_TOO_SHORT,
	};
	struct mux_frame frame;
	enum mux_event event = mux_frame_decode(&mux->decoder, byte, &frame);

	if (event == MUX_FRAME)
		mux_frame_input(&frame);
	else if (event == MUX_SAID_OFF)
		mux_stop();
	else if (event == MUX_SAID_ON && mux_start(mux->sink))
		mux_stop();
	else if (event >= MUX_BAD_COBS)
		mux_count_error(errors[event], MUX_CONTROL);
}

static size_t mux_bite(uint8_t *bite)
{
	bool dropped;
	size_t len;

	spin_lock(&mux->lock);
	len = ring_get(&mux->line, bite, MUX_BITE);
	dropped = mux->dropped;
	mux->dropped = false;
	spin_unlock(&mux->lock);
	if (dropped)
		mux_count_error(MUX_ERROR_LINE, MUX_CONTROL);
	return len;
}

void mux_take_input(void)
{
	uint8_t bite[MUX_BITE];
	size_t len;

	for (unsigned n = 0; n < MUX_BITES && mux->sink && (len = mux_bite(bite)); n++)
		for (size_t i = 0; i < len && mux->sink; i++)
			mux_byte(bite[i]);
	if (mux->sink && mux->pinged)
		mux_pong();
	mux_tell_errors();
}
