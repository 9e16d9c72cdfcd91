/* SPDX-License-Identifier: BSD-2-Clause */
/* From text to a list of sections, bounded. What they mean is not known here. */
#include "vmm/vm_config_parse.h"

#include "kernel/log.h"
#include "kernel/slab.h"
#include "lib/ini.h"

#include <errno.h>
#include <string.h>

struct section_parser {
	const char *file;
	struct vm_config_section **end;	 /* where the next section goes */
	struct vm_config_section *last;	 /* the one that keys belong to */
	struct vm_config_key **keys_end; /* its last key's next */
	unsigned sections, keys;
};

/* Puts a copy of @s at *@to and moves it behind the copy. */
static char *section_copy(char **to, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = memcpy(*to, s, size);

	*to += size;
	return copy;
}

static int section_begin(void *opaque, unsigned line, const char *kind, const char *id)
{
	struct section_parser *p = opaque;
	struct vm_config_section *s;
	char *strings;

	if (++p->sections > VM_CONFIG_SECTIONS_MAX) {
		log_error("%s:%u: expected at most %u sections", p->file, line,
			  VM_CONFIG_SECTIONS_MAX);
		return -EINVAL;
	}
	s = kzalloc(sizeof(*s) + strlen(kind) + strlen(id) + 2);
	if (!s)
		return -ENOMEM;
	strings = (char *)(s + 1);
	s->file = p->file;
	s->kind = section_copy(&strings, kind);
	s->id = section_copy(&strings, id);
	s->line = line;
	*p->end = s;
	p->end = &s->next;
	p->last = s;
	p->keys_end = &s->keys;
	p->keys = 0;
	return 0;
}

static int section_key(void *opaque, unsigned line, const char *name, const char *value)
{
	struct section_parser *p = opaque;
	struct vm_config_key *key;
	char *strings;

	if (!p->last) {
		log_error("%s:%u: %s: expected a [section] before the first key", p->file, line,
			  name);
		return -EINVAL;
	}
	if (++p->keys > VM_CONFIG_KEYS_MAX) {
		log_error("%s:%u: %s: expected at most %u keys in a section", p->file, line, name,
			  VM_CONFIG_KEYS_MAX);
		return -EINVAL;
	}
	key = kzalloc(sizeof(*key) + strlen(name) + strlen(value) + 2);
	if (!key)
		return -ENOMEM;
	strings = (char *)(key + 1);
	key->name = section_copy(&strings, name);
	key->value = section_copy(&strings, value);
	key->line = line;
	*p->keys_end = key;
	p->keys_end = &key->next;
	return 0;
}

static void section_error(void *opaque, unsigned line, const char *message)
{
	const struct section_parser *p = opaque;

	log_error("%s:%u: %s", p->file, line, message);
}

int vm_config_parse_sections(const char *file, const char *text, size_t len,
			     struct vm_config_section **list)
{
	struct section_parser parser = {.file = file, .end = list};
	const struct ini_handler handler = {section_begin, section_key, section_error, &parser};

	if (len > VM_CONFIG_TEXT_MAX) {
		log_error("%s: %zu bytes: expected a config of at most %u", file, len,
			  VM_CONFIG_TEXT_MAX);
		return -EINVAL;
	}
	while (*parser.end)
		parser.end = &(*parser.end)->next;
	return ini_parse(text, len, &handler);
}

void vm_config_free_sections(struct vm_config_section *list)
{
	struct vm_config_section *next;
	struct vm_config_key *key, *next_key;

	for (; list; list = next) {
		next = list->next;
		for (key = list->keys; key; key = next_key) {
			next_key = key->next;
			kfree(key);
		}
		kfree(list);
	}
}
