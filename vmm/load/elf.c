/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/load/elf.h"

#include "kernel/boot_info.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define ELF_CLASS32	  1
#define ELF_CLASS64	  2
#define ELF_DATA_LSB	  1
#define ELF_TYPE_EXEC	  2
#define ELF_MACHINE_386	  3
#define ELF_MACHINE_AMD64 62
#define ELF_PT_LOAD	  1
#define ELF_SEGMENTS_MAX  64
#define ELF_LOWEST	  UINT64_C(0x100000)

struct elf_ident {
	uint8_t magic[4], class, data, version, abi[9];
	uint16_t type, machine;
};
_Static_assert(sizeof(struct elf_ident) == 20, "ELF header");

struct elf32_header {
	struct elf_ident ident;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf32_header) == 52, "ELF header");

struct elf64_header {
	struct elf_ident ident;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf64_header) == 64, "ELF header");

struct elf32_segment {
	uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};
struct elf64_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf32_segment) == 32, "program header");
_Static_assert(sizeof(struct elf64_segment) == 56, "program header");

/* The part of both headers that a loader needs. */
struct elf_file {
	const uint8_t *data;
	uint64_t size;
	bool is64;
	uint64_t entry, phoff;
	unsigned phentsize, phnum;
};

static bool elf_read(const struct elf_file *f, uint64_t offset, void *out, size_t len)
{
	if (offset > f->size || len > f->size - offset)
		return false;
	memcpy(out, f->data + offset, len);
	return true;
}

static bool elf_open(const struct boot_module *image, struct elf_file *f)
{
	struct elf64_header h64;
	struct elf32_header h32;

	memset(f, 0, sizeof(*f));
	f->data = image->data;
	f->size = image->size;
	if (!elf_read(f, 0, &h32, sizeof(h32)) || memcmp(h32.ident.magic, "\177ELF", 4) ||
	    h32.ident.data != ELF_DATA_LSB || h32.ident.type != ELF_TYPE_EXEC)
		return false;
	f->is64 = h32.ident.class == ELF_CLASS64 && h32.ident.machine == ELF_MACHINE_AMD64;
	if (f->is64) {
		if (!elf_read(f, 0, &h64, sizeof(h64)))
			return false;
		f->entry = h64.entry;
		f->phoff = h64.phoff;
		f->phentsize = h64.phentsize;
		f->phnum = h64.phnum;
		return f->phentsize >= sizeof(struct elf64_segment);
	}
	f->entry = h32.entry;
	f->phoff = h32.phoff;
	f->phentsize = h32.phentsize;
	f->phnum = h32.phnum;
	return h32.ident.class == ELF_CLASS32 && h32.ident.machine == ELF_MACHINE_386 &&
	       f->phentsize >= sizeof(struct elf32_segment);
}

static bool elf_segment(const struct elf_file *f, unsigned i, struct elf64_segment *s)
{
	uint64_t offset = (uint64_t)i * f->phentsize;
	struct elf32_segment s32;

	if (f->phoff > f->size)
		return false;
	if (f->is64)
		return elf_read(f, f->phoff + offset, s, sizeof(*s));
	if (!elf_read(f, f->phoff + offset, &s32, sizeof(s32)))
		return false;
	*s = (struct elf64_segment){s32.type,  s32.flags,  s32.offset, s32.vaddr,
				    s32.paddr, s32.filesz, s32.memsz,  s32.align};
	return true;
}

static int elf_load_segment(struct vm *vm, const char *name, const struct elf_file *f,
			    const struct elf64_segment *s)
{
	int err;

	if (s->filesz > s->memsz || s->offset > f->size || s->filesz > f->size - s->offset) {
		vm_log(vm, LOG_ERROR, "kernel %s: a segment reaches beyond the file: cut short?",
		       name);
		return -ENOEXEC;
	}
	if (s->paddr < ELF_LOWEST || !guest_is_ram(vm->memory, s->paddr, s->memsz)) {
		vm_log(vm, LOG_ERROR,
		       "kernel %s: a segment of %llu bytes at 0x%llx is not in the VM's RAM from 1 "
		       "MiB "
		       "up (%llu MiB)",
		       name, (unsigned long long)s->memsz, (unsigned long long)s->paddr,
		       (unsigned long long)(vm->memory->size >> 20));
		return -ENOMEM;
	}
	err = guest_write(vm, s->paddr, f->data + s->offset, s->filesz);
	if (!err)
		err = guest_fill(vm, s->paddr + s->filesz, 0, s->memsz - s->filesz);
	return err;
}

/*
 * The entry is a virtual address, and protocols without paging enter at the
 * physical one. Kernels that run high and start low (xv6, JOS) tell that one
 * themselves: it is taken where no segment has the virtual one.
 */
static void elf_entry(const struct elf_file *f, const struct elf64_segment *s,
		      struct load_extent *extent)
{
	if (f->entry >= s->vaddr && f->entry - s->vaddr < s->memsz)
		extent->entry = s->paddr + (f->entry - s->vaddr);
	else if (!extent->entry && f->entry >= s->paddr && f->entry - s->paddr < s->memsz)
		extent->entry = f->entry;
	extent->end = MAX(extent->end, s->paddr + s->memsz);
}

int elf_load(struct vm *vm, const struct boot_module *image, struct load_extent *extent)
{
	struct elf64_segment s;
	struct elf_file f;
	unsigned i;
	int err;

	extent->entry = 0;
	extent->end = 0;
	if (!elf_open(image, &f) || f.phnum > ELF_SEGMENTS_MAX) {
		vm_log(vm, LOG_ERROR, "kernel %s: expected an x86 ELF executable", image->name);
		return -ENOEXEC;
	}
	for (i = 0; i < f.phnum; i++) {
		if (!elf_segment(&f, i, &s)) {
			vm_log(vm, LOG_ERROR, "kernel %s: program header %u is outside the file",
			       image->name, i);
			return -ENOEXEC;
		}
		if (s.type != ELF_PT_LOAD || !s.memsz)
			continue;
		err = elf_load_segment(vm, image->name, &f, &s);
		if (err)
			return err;
		elf_entry(&f, &s, extent);
	}
	if (!extent->entry) {
		vm_log(vm, LOG_ERROR, "kernel %s: its entry is in none of its segments",
		       image->name);
		return -ENOEXEC;
	}
	return 0;
}
