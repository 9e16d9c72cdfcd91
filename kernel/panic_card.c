/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/panic_card.h"

#include "kernel/log.h"
#include "lib/compiler.h"
#include "lib/crc32c.h"

#include <string.h>

#define CARD_MAGIC UINT64_C(0x64726163636e6170) /* "panccard" */

struct panic_card {
	uint64_t magic;
	uint32_t len; /* of text: lines, each with its newline */
	uint32_t crc; /* of that much of text */
	char text[PANIC_CARD_SIZE - 16];
};
_Static_assert(sizeof(struct panic_card) == PANIC_CARD_SIZE, "what start-up sets aside");

static struct panic_card *card; /* NULL: no such memory */

static void panic_card_show(const char *text, size_t len)
{
	log_warn("the machine's last run ended in a panic, which said:");
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		if (line)
			log_warn("| %.*s", (int)line, text);
		line += !!end;
		text += line;
		len -= line;
	}
}

void panic_card_open(void *memory)
{
	struct panic_card *kept = memory;

	if (kept->magic == CARD_MAGIC && kept->len <= sizeof(kept->text) &&
	    kept->crc == crc32c(0, kept->text, kept->len))
		panic_card_show(kept->text, kept->len);
	kept->magic = 0;
	kept->len = 0;
	kept->crc = 0;
	card = kept;
}

void panic_card_add(const char *text, size_t len)
{
	if (!card)
		return;
	len = MIN(len, sizeof(card->text) - card->len);
	memcpy(card->text + card->len, text, len);
	card->crc = crc32c(card->crc, text, len);
	card->len += len;
	card->magic = CARD_MAGIC;
}
