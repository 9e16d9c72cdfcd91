/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM configuration: text in the syntax of QEMU's -readconfig and git
 * ([section "id"], key = value, # comments), from a Multiboot2 module.
 * Sections: [vm "NAME"], [boot], [device "ID"]. Every error is logged as
 * FILE:LINE: key: what was expected.
 */
#ifndef VMM_VM_CONFIG_H
#define VMM_VM_CONFIG_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct boot_module;

struct vm_config_key {
	char *name;
	char *value;
	unsigned line;
	struct vm_config_key *next;
};

struct vm_config_section {
	const char *file; /* for messages: the config's, or "machine NAME" */
	char *kind;	  /* "vm", "boot", "device" */
	char *id;	  /* or "" */
	unsigned line;
	struct vm_config_key *keys; /* in order */
	struct vm_config_section *next;
};

struct vm_config {
	char *file; /* name for messages */
	struct vm_config_section *sections;
	/* From [vm "NAME"]; checked. */
	char *name;
	uint32_t cpus;
	uint64_t memory; /* bytes */
	bool autostart;
	bool console;	     /* attach the shell to this VM's console at boot */
	bool cpu_common;     /* cpu-model = common: what both vendors' CPUs can be */
	bool msr_ignore;     /* msr-unknown = ignore: MSRs that nobody owns read 0, else #GP */
	const char *machine; /* "pc" or "none": which built-in device sections come first */
	/* [boot]: kernel, initrd, cmdline, module (repeated) are read by vmm/load. */
};

/* Bounds of what a config may hold. */
#define VM_CONFIG_TEXT_MAX     65536 /* bytes */
#define VM_CONFIG_SECTIONS_MAX 256
#define VM_CONFIG_KEYS_MAX     64 /* of a section */

/* @text need not be 0-terminated. -EINVAL (logged) or -ENOMEM. */
int vm_config_parse(const char *file, const char *text, size_t len,
		    struct vm_config **out) __must_check;
void vm_config_free(struct vm_config *config);
/* NULL: not there. */
const struct vm_config_key *vm_config_find_key(const struct vm_config_section *section,
					       const char *key);

/* A VM by the config @text, with its devices checked; errors are logged. */
int vm_config_define(const char *file, const char *text, size_t len) __must_check;
/* Boot: every module whose name ends in .cfg becomes a defined VM; errors are logged and the rest
 * goes on. */
void vm_config_load_modules(void);

/* The first section of that kind and id ("": any id), or NULL. */
struct vm_config_section *vm_config_section(const struct vm_config *config, const char *kind,
					    const char *id);

/* How a value that names a module begins. */
#define VM_CONFIG_MODULE "module:"

/* The module that a value of @file names, as below. */
const struct boot_module *vm_config_find_module(const char *file, const struct vm_config_key *key);

/*
 * The module that @key's value names: "module:NAME", what stands behind a
 * blank is not part of the name. NULL is logged with file, line and key.
 */
const struct boot_module *vm_config_module(const struct vm_config *config,
					   const struct vm_config_key *key);

/*
 * Built-in device sections of a machine ("pc"), in the same syntax, as the
 * devices that are linked in provide them. A user's section of the same id
 * replaces a built-in one.
 */
struct machine_part {
	const char *machine;
	const char *text;
};
#define MACHINE_PART(ident_, ...) \
	TABLE_ENTRY(machine_parts, struct machine_part, ident_) = {__VA_ARGS__}

#endif
