/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/checkpoint/stream.h"

#include "kernel/fast_crc32c.h"
#include "kernel/task.h"
#include "vmm/vm.h"
#include "vmm/vm_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CRC_SIZE  sizeof(uint32_t)
#define READ_SIZE 1024u /* at a time, on the stack */
#define YIELD_AT  (UINT64_C(1) << 18)

static const char magic[8] = "ALCZCKPT";

struct header {
	char magic[8];
	uint32_t version;
	uint32_t crc; /* of what is before it */
};
_Static_assert(sizeof(struct header) == 16, "docs/checkpoint.md");

struct record_header {
	char kind[8]; /* its name, filled up with zeroes */
	uint32_t number;
	uint32_t zero;
	uint64_t length;
};
_Static_assert(sizeof(struct record_header) == 24, "docs/checkpoint.md");

struct end {
	uint64_t records, bytes; /* before this one */
};

const char *const checkpoint_kind_names[CHECKPOINT_KINDS + 1] = {
	"machine", "config", "vcpu", "device", "memory", "end", "unknown"};

static int write(struct checkpoint_writer *w, const void *data, size_t len)
{
	w->bytes += len;
	return len ? w->write(w->opaque, data, len) : 0;
}

int checkpoint_write_header(struct checkpoint_writer *w)
{
	struct header h = {.version = CHECKPOINT_VERSION};

	memcpy(h.magic, magic, sizeof(magic));
	h.crc = fast_crc32c(0, &h, offsetof(struct header, crc));
	return write(w, &h, sizeof(h));
}

int checkpoint_put(struct checkpoint_writer *w, const void *data, size_t len)
{
	w->crc = fast_crc32c(w->crc, data, len);
	return write(w, data, len);
}

int checkpoint_record_begin(struct checkpoint_writer *w, enum checkpoint_kind kind, uint64_t length)
{
	struct record_header h = {.number = w->records++, .length = length};

	strncpy(h.kind, checkpoint_kind_names[kind], sizeof(h.kind));
	w->crc = 0;
	return checkpoint_put(w, &h, sizeof(h));
}

int checkpoint_record_end(struct checkpoint_writer *w)
{
	return write(w, &w->crc, sizeof(w->crc));
}

int checkpoint_write_end(struct checkpoint_writer *w)
{
	struct end end = {.records = w->records, .bytes = w->bytes};
	int err = checkpoint_record_begin(w, CHECKPOINT_END, sizeof(end));

	if (!err)
		err = checkpoint_put(w, &end, sizeof(end));
	return err ? err : checkpoint_record_end(w);
}

static void read(const struct checkpoint_source *source, uint64_t at, void *buf, size_t len)
{
	source->read(source->opaque, at, buf, len);
}

static enum checkpoint_kind kind_of(const struct record_header *h)
{
	char name[sizeof(h->kind)];
	unsigned kind;

	for (kind = 0; kind < CHECKPOINT_KINDS; kind++) {
		strncpy(name, checkpoint_kind_names[kind], sizeof(name));
		if (!memcmp(name, h->kind, sizeof(name)))
			break;
	}
	return (enum checkpoint_kind)kind;
}

/* Behind record @r, or behind the header. */
static uint64_t behind(const struct checkpoint_record *r)
{
	return r->at ? r->at + r->length + CRC_SIZE : sizeof(struct header);
}

bool checkpoint_next(const struct checkpoint_source *source, struct checkpoint_record *r)
{
	uint64_t at = behind(r);
	struct record_header h;

	read(source, at, &h, sizeof(h));
	*r = (struct checkpoint_record){
		.kind = kind_of(&h), .number = h.number, .at = at + sizeof(h), .length = h.length};
	return r->kind != CHECKPOINT_END;
}

static int wrong(char *why, const char *what)
{
	snprintf(why, CHECKPOINT_WHY_MAX, "%s", what);
	return -EINVAL;
}

static int wrong_record(char *why, const struct checkpoint_record *r, const char *what)
{
	snprintf(why, CHECKPOINT_WHY_MAX, "record %u (%s): %s", r->number,
		 checkpoint_kind_names[r->kind], what);
	return -EINVAL;
}

int checkpoint_verify_header(const struct checkpoint_source *source, char *why)
{
	struct header h;

	if (source->size < sizeof(h))
		return wrong(why, "the header is cut");
	read(source, 0, &h, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)))
		return wrong(why, "the header is not a checkpoint's");
	if (h.crc != fast_crc32c(0, &h, offsetof(struct header, crc)))
		return wrong(why, "the header is damaged");
	if (h.version == CHECKPOINT_VERSION)
		return 0;
	snprintf(why, CHECKPOINT_WHY_MAX, "format version %u, and %u is the one that is known",
		 h.version, CHECKPOINT_VERSION);
	return -EINVAL;
}

static uint32_t crc_of(const struct checkpoint_source *source, uint64_t at, uint64_t len)
{
	uint8_t buf[READ_SIZE];
	uint32_t crc = 0;

	while (len) {
		size_t n = MIN(len, (uint64_t)sizeof(buf));

		read(source, at, buf, n);
		crc = fast_crc32c(crc, buf, n);
		if (at / YIELD_AT != (at + n) / YIELD_AT)
			task_share();
		at += n;
		len -= n;
	}
	return crc;
}

/* The record behind @r: whole, and the one that belongs there. */
static int verify_record(const struct checkpoint_source *source, struct checkpoint_record *r,
			 char *why)
{
	uint64_t at = behind(r), left = source->size - at;
	uint32_t number = r->at ? r->number + 1 : 0, crc;
	struct record_header h;

	*r = (struct checkpoint_record){.kind = CHECKPOINT_KINDS, .number = number};
	if (left < sizeof(h))
		return wrong_record(why, r, "it is not there: the stream is cut");
	read(source, at, &h, sizeof(h));
	r->kind = kind_of(&h);
	r->at = at + sizeof(h);
	r->length = h.length;
	if (r->kind == CHECKPOINT_KINDS || h.number != number || h.zero)
		return wrong_record(why, r, "its header is damaged");
	if (left - sizeof(h) < CRC_SIZE || h.length > left - sizeof(h) - CRC_SIZE)
		return wrong_record(why, r, "it is longer than the stream");
	if (h.length > CHECKPOINT_RECORD_MAX)
		return wrong_record(why, r, "it is too long");
	read(source, r->at + r->length, &crc, sizeof(crc));
	if (crc != crc_of(source, at, sizeof(h) + h.length))
		return wrong_record(why, r, "it is damaged (CRC32C)");
	return 0;
}

static int verify_order(const struct checkpoint_record *r, unsigned last, char *why)
{
	bool first = r->number <= CHECKPOINT_CONFIG;

	if (first ? r->kind != r->number : r->kind < MAX(last, (unsigned)CHECKPOINT_VCPU))
		return wrong_record(why, r, "it does not belong here");
	return 0;
}

static int verify_end(const struct checkpoint_source *source, const struct checkpoint_record *r,
		      char *why)
{
	struct end end;

	if (r->length != sizeof(end))
		return wrong_record(why, r, "of another length");
	read(source, r->at, &end, sizeof(end));
	if (end.records != r->number || end.bytes != r->at - sizeof(struct record_header))
		return wrong_record(why, r, "it counts others than there are");
	if (behind(r) != source->size)
		return wrong_record(why, r, "the stream goes on behind it");
	return 0;
}

/* @counts: of records, by kind. What is read of names is by pairs of them: there are not many. */
static int verify_count(const struct checkpoint_record *r, uint32_t *counts, char *why)
{
	uint32_t n = ++counts[r->kind];

	if ((r->kind == CHECKPOINT_VCPU && n > VM_MAX_VCPUS) ||
	    (r->kind == CHECKPOINT_DEVICE && n > VM_CONFIG_SECTIONS_MAX))
		return wrong_record(why, r, "more than a VM can have");
	return 0;
}

int checkpoint_verify(const struct checkpoint_source *source, char *why)
{
	uint32_t counts[CHECKPOINT_KINDS] = {0};
	struct checkpoint_record r = {.at = 0};
	int err = checkpoint_verify_header(source, why);

	while (!err && r.kind != CHECKPOINT_END) {
		unsigned last = r.kind;

		err = verify_record(source, &r, why);
		if (!err)
			err = verify_order(&r, last, why);
		if (!err)
			err = verify_count(&r, counts, why);
	}
	return err ? err : verify_end(source, &r, why);
}
