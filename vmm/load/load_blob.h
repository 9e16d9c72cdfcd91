/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Multiboot loaders share: modules behind the kernel, and a boot
 * information block that is built here and then copied to the guest.
 */
#ifndef VMM_LOAD_LOAD_BLOB_H
#define VMM_LOAD_LOAD_BLOB_H

#include "lib/compiler.h"
#include "vmm/load/elf.h"
#include "vmm/loader.h"
#include "vmm/types.h"

#include <stddef.h>
#include <stdint.h>

#define LOAD_BLOB_MAX 16384

struct load_blob {
	uint8_t *data; /* LOAD_BLOB_MAX bytes, zeroed */
	size_t len;
	gpa_t gpa; /* where it will be in the guest */
	int err;   /* first failure: -E2BIG; checked once, at the end */
};

struct load_placed {
	gpa_t start, end; /* of a module in guest memory */
	const char *name, *args;
};

/* Room for the next @len bytes at the blob's end, aligned to @align, as offset; 0 with err set when
 * full. */
size_t load_blob_take(struct load_blob *blob, size_t len, size_t align);
/* Copies @len bytes to the end; their guest-physical address. */
gpa_t load_blob_put(struct load_blob *blob, const void *data, size_t len, size_t align);
/* "NAME ARGS" or whatever two words, 0-terminated; its guest-physical address. */
gpa_t load_blob_put_words(struct load_blob *blob, const char *first, const char *second);

/*
 * Copies the initrd and all modules to page boundaries from @gpa on.
 * @placed has LOAD_MAX_MODULES + 1 places; @count says how many are used;
 * @end is the first page behind them. -ENOMEM is logged.
 */
int load_place_modules(struct vm *vm, const struct load_request *req, gpa_t gpa,
		       struct load_placed *placed, size_t *count, gpa_t *end) __must_check;

/* A Multiboot version: what differs in loading and starting a kernel. */
struct load_multiboot {
	uint32_t magic; /* in EAX */
	int (*load_kernel)(struct vm *vm, const struct boot_module *kernel,
			   struct load_extent *extent);
	void (*put_info)(struct vm *vm, const struct load_request *req, struct load_blob *blob,
			 const struct load_placed *placed, size_t count);
};

/* Kernel, modules, information, and the entry's state. Errors are logged. */
int load_multiboot(struct vm *vm, const struct load_request *req,
		   const struct load_multiboot *how) __must_check;

#endif
