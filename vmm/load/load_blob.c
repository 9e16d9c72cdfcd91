/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/load/load_blob.h"

#include "kernel/boot_info.h"
#include "kernel/slab.h"
#include "vmm/guest_memory.h"
#include "vmm/load/entry_state.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define LOAD_MULTIBOOT_LIMIT (UINT64_C(1) << 32)

size_t load_blob_take(struct load_blob *blob, size_t len, size_t align)
{
	size_t at = ALIGN_UP(blob->len, align);

	if (at > LOAD_BLOB_MAX || len > LOAD_BLOB_MAX - at) {
		blob->err = -E2BIG;
		return 0;
	}
	blob->len = at + len;
	return at;
}

gpa_t load_blob_put(struct load_blob *blob, const void *data, size_t len, size_t align)
{
	size_t at = load_blob_take(blob, len, align);

	if (!blob->err)
		memcpy(blob->data + at, data, len);
	return blob->gpa + at;
}

gpa_t load_blob_put_words(struct load_blob *blob, const char *first, const char *second)
{
	size_t n1 = strlen(first), n2 = strlen(second);
	size_t at = load_blob_take(blob, n1 + (n2 ? n2 + 1 : 0) + 1, 1);

	if (blob->err)
		return 0;
	memcpy(blob->data + at, first, n1);
	if (n2) {
		blob->data[at + n1] = ' ';
		memcpy(blob->data + at + n1 + 1, second, n2);
	}
	return blob->gpa + at;
}

static int load_place_one(struct vm *vm, const struct boot_module *module, const char *args,
			  struct load_placed *placed, gpa_t *gpa)
{
	/* Multiboot addresses have 32 bits, and guest RAM below 4 GiB ends well before. */
	if (!guest_is_ram(vm->memory, *gpa, module->size)) {
		vm_log(vm, LOG_ERROR,
		       "module %s (%llu KiB) does not fit behind the kernel, at 0x%llx of %llu "
		       "MiB: "
		       "raise memory = in [vm]",
		       module->name, (unsigned long long)(module->size >> 10),
		       (unsigned long long)*gpa, (unsigned long long)(vm->memory->size >> 20));
		return -ENOMEM;
	}
	*placed = (struct load_placed){*gpa, *gpa + module->size, module->name, args};
	*gpa = ALIGN_UP(*gpa + module->size, PAGE_SIZE);
	return guest_write(vm, placed->start, module->data, module->size);
}

int load_place_modules(struct vm *vm, const struct load_request *req, gpa_t gpa,
		       struct load_placed *placed, size_t *count, gpa_t *end)
{
	size_t i;
	int err = 0;

	gpa = ALIGN_UP(gpa, PAGE_SIZE);
	*count = 0;
	if (req->initrd)
		err = load_place_one(vm, req->initrd, "", &placed[(*count)++], &gpa);
	for (i = 0; i < req->module_count && !err; i++)
		err = load_place_one(vm, req->modules[i], req->module_args[i], &placed[(*count)++],
				     &gpa);
	*end = gpa;
	return err;
}

/* @blob has no memory of its own yet. */
static int load_put_info(struct vm *vm, const struct load_request *req,
			 const struct load_multiboot *how, struct load_blob *blob,
			 const struct load_placed *placed, size_t count)
{
	int err;

	blob->data = kzalloc(LOAD_BLOB_MAX);
	if (!blob->data)
		return -ENOMEM;
	how->put_info(vm, req, blob, placed, count);
	err = blob->err;
	if (err)
		vm_log(vm, LOG_ERROR, "kernel %s: command line and module names exceed %d bytes",
		       req->kernel->name, LOAD_BLOB_MAX);
	else
		err = guest_write(vm, blob->gpa, blob->data, blob->len);
	kfree(blob->data);
	return err;
}

/* An ELF for 64 bits may name RAM that neither the protocol's addresses nor its entry reach. */
static int load_check_extent(struct vm *vm, const char *name, const struct load_extent *extent)
{
	if (extent->end <= LOAD_MULTIBOOT_LIMIT)
		return 0;
	vm_log(vm, LOG_ERROR,
	       "kernel %s: it reaches up to 0x%lx: expected all of it below 4 GiB, Multiboot's "
	       "addresses have 32 bits",
	       name, extent->end);
	return -ENOEXEC;
}

int load_multiboot(struct vm *vm, const struct load_request *req, const struct load_multiboot *how)
{
	struct load_placed placed[LOAD_MAX_MODULES + 1];
	struct load_blob blob = {0};
	struct load_extent extent;
	size_t count;
	int err = how->load_kernel(vm, req->kernel, &extent);

	if (!err)
		err = load_check_extent(vm, req->kernel->name, &extent);
	if (!err)
		err = load_place_modules(vm, req, extent.end, placed, &count, &blob.gpa);
	if (!err)
		err = load_put_info(vm, req, how, &blob, placed, count);
	if (!err)
		err = entry_state_protected(vm, extent.entry);
	if (!err) {
		vcpu_set_gpr(vm->vcpus[0], GPR_RAX, how->magic);
		vcpu_set_gpr(vm->vcpus[0], GPR_RBX, blob.gpa);
	}
	return err;
}
