/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux bzImage (Linux, Documentation/arch/x86/boot.rst and zero-page.rst): kernels that
 * can be entered in 64-bit mode are, the others in 32-bit mode, from boot protocol 2.02 on.
 *
 * The image is a module that anyone may have put on the disc: every field of
 * its header is checked against the image's and the guest's size.
 */
#include "kernel/boot_info.h"
#include "kernel/slab.h"
#include "vmm/device.h"
#include "vmm/guest_memory.h"
#include "vmm/hv_ops.h"
#include "vmm/load/entry_state.h"
#include "vmm/loader.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

/* "The Real-Mode Kernel Header", by offset in the image and in boot_params alike. */
#define LINUX_HEADER	 0x1f1
#define LINUX_HEADER_END 0x268
#define LINUX_BOOT_FLAG	 0xaa55
#define LINUX_MAGIC	 0x53726448 /* "HdrS" */
#define LINUX_VERSION	 0x0202	    /* the first whose command line is anywhere */
#define LINUX_SECTOR	 512

#define LOADFLAG_LOADED_HIGH	  0x01
#define XLOADFLAG_KERNEL_64	  0x01
#define XLOADFLAG_ABOVE_4G	  0x02
#define LOADER_TYPE_UNDEFINED	  0xff
#define LINUX_ENTRY64		  0x200
#define LINUX_DEFAULT_SETUP_SECTS 4
#define LINUX_PAGE		  4096

/* What a kernel means whose header ends before the field. */
#define LINUX_LOAD	      UINT64_C(0x100000) /* where a bzImage goes */
#define LINUX_INITRD_ADDR_MAX 0x37ffffff
#define LINUX_CMDLINE_SIZE    255

/* Where things go in low memory; all below the EBDA at 0x9fc00. */
#define LINUX_PARAMS_GPA  UINT64_C(0x10000) /* the GDT follows */
#define LINUX_CMDLINE_GPA UINT64_C(0x20000)
#define LINUX_CMDLINE_MAX 0x10000
#define LINUX_STACK_GPA	  UINT64_C(0x90000)

struct linux_header {
	uint8_t setup_sects; /* 0x1f1 */
	uint16_t root_flags;
	uint32_t syssize; /* of the protected-mode part, in 16-byte units */
	uint16_t ram_size, vid_mode, root_dev, boot_flag;
	uint8_t jump, jump_offset; /* 0x200; the header ends where it jumps to */
	uint32_t magic;
	uint16_t version;
	uint32_t realmode_switch;
	uint16_t start_sys_seg, kernel_version;
	uint8_t type_of_loader, loadflags;
	uint16_t setup_move_size;
	uint32_t code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
	uint16_t heap_end_ptr;
	uint8_t ext_loader_ver, ext_loader_type;
	uint32_t cmd_line_ptr, initrd_addr_max, kernel_alignment;
	uint8_t relocatable_kernel, min_alignment;
	uint16_t xloadflags;
	uint32_t cmdline_size, hardware_subarch;
	uint64_t hardware_subarch_data;
	uint32_t payload_offset, payload_length;
	uint64_t setup_data, pref_address;
	uint32_t init_size, handover_offset;
} __packed;
_Static_assert(LINUX_HEADER + offsetof(struct linux_header, boot_flag) == 0x1fe, "boot.rst");
_Static_assert(LINUX_HEADER + offsetof(struct linux_header, version) == 0x206, "boot.rst");
_Static_assert(LINUX_HEADER + offsetof(struct linux_header, cmd_line_ptr) == 0x228, "boot.rst");
_Static_assert(LINUX_HEADER + offsetof(struct linux_header, xloadflags) == 0x236, "boot.rst");
_Static_assert(LINUX_HEADER + offsetof(struct linux_header, pref_address) == 0x258, "boot.rst");
_Static_assert(LINUX_HEADER + sizeof(struct linux_header) == LINUX_HEADER_END, "boot.rst");

/* The part of struct screen_info that says where text goes; the rest is a framebuffer's. */
struct linux_screen {
	uint8_t x, y;
	uint16_t ext_mem_k, page;
	uint8_t mode, columns;
	uint16_t unused1, ega_bx, unused2;
	uint8_t rows, is_vga;
	uint16_t points;
} __packed;
_Static_assert(offsetof(struct linux_screen, mode) == 0x06, "screen_info.h");
_Static_assert(offsetof(struct linux_screen, is_vga) == 0x0f, "screen_info.h");
_Static_assert(sizeof(struct linux_screen) == 0x12, "screen_info.h");

#define LINUX_EGA_256K 3 /* what INT 10h AH=12h BL=10h leaves in BL */

#define LINUX_E820_MAX 128

struct linux_params {
	struct linux_screen screen;
	uint8_t apm[0x70 - sizeof(struct linux_screen)];
	uint64_t acpi_rsdp_addr;
	uint8_t pad1[0xc0 - 0x78];
	uint32_t ext_ramdisk_image, ext_ramdisk_size, ext_cmd_line_ptr;
	uint8_t pad2[0x1e0 - 0xcc];
	uint32_t alt_mem_k;
	uint8_t pad3[0x1e8 - 0x1e4];
	uint8_t e820_entries;
	uint8_t pad4[LINUX_HEADER - 0x1e9];
	struct linux_header header;
	uint8_t pad5[0x2d0 - LINUX_HEADER_END];
	struct e820_entry e820[LINUX_E820_MAX];
	uint8_t pad6[LINUX_PAGE - 0x2d0 - sizeof(struct e820_entry) * LINUX_E820_MAX];
} __packed;
_Static_assert(offsetof(struct linux_params, acpi_rsdp_addr) == 0x70, "zero-page.rst");
_Static_assert(offsetof(struct linux_params, ext_ramdisk_image) == 0xc0, "zero-page.rst");
_Static_assert(offsetof(struct linux_params, alt_mem_k) == 0x1e0, "zero-page.rst");
_Static_assert(offsetof(struct linux_params, e820_entries) == 0x1e8, "zero-page.rst");
_Static_assert(offsetof(struct linux_params, header) == LINUX_HEADER, "zero-page.rst");
_Static_assert(offsetof(struct linux_params, e820) == 0x2d0, "zero-page.rst");
_Static_assert(sizeof(struct linux_params) == LINUX_PAGE, "zero-page.rst");

struct linux_image {
	struct linux_header header;
	const uint8_t *code; /* the protected-mode part */
	uint64_t code_size;
	gpa_t load;	  /* where it goes */
	uint64_t run_end; /* end of what the kernel uses before it reads the memory map */
};

static bool linux_probe(const void *image, size_t size)
{
	struct linux_header h;

	if (size < LINUX_HEADER_END)
		return false;
	memcpy(&h, (const uint8_t *)image + LINUX_HEADER, sizeof(h));
	return h.boot_flag == LINUX_BOOT_FLAG && h.magic == LINUX_MAGIC;
}

/* The header of @image; what its version of the protocol did not have yet, is as it was then. */
static void linux_read_header(const void *image, struct linux_header *h)
{
	const uint8_t *from = (const uint8_t *)image + LINUX_HEADER;
	size_t end = offsetof(struct linux_header, magic);

	end += from[offsetof(struct linux_header, jump_offset)];
	memset(h, 0, sizeof(*h));
	memcpy(h, from, MIN(end, sizeof(*h)));
	if (h->version < 0x0203)
		h->initrd_addr_max = LINUX_INITRD_ADDR_MAX;
	if (h->version < 0x0204)
		h->syssize = 0; /* of 16 bits, which a bzImage's size does not fit */
	if (h->version < 0x0205)
		h->relocatable_kernel = 0;
	if (h->version < 0x0206)
		h->cmdline_size = LINUX_CMDLINE_SIZE;
	if (h->version < 0x020a) {
		h->pref_address = LINUX_LOAD;
		h->init_size = 0; /* see linux_check() */
	}
	if (h->version < 0x020c)
		h->xloadflags = 0;
}

static int linux_check(struct vm *vm, const struct boot_module *kernel, struct linux_image *img)
{
	struct linux_header *h = &img->header;
	uint64_t setup;

	linux_read_header(kernel->data, h);
	if (h->version < LINUX_VERSION || !(h->loadflags & LOADFLAG_LOADED_HIGH)) {
		vm_log(vm, LOG_ERROR,
		       "kernel %s: boot protocol %u.%02u, loaded %s: expected a bzImage with 2.02 "
		       "or later",
		       kernel->name, h->version >> 8, h->version & 0xffu,
		       h->loadflags & LOADFLAG_LOADED_HIGH ? "high" : "low");
		return -ENOEXEC;
	}
	setup = (uint64_t)((h->setup_sects ? h->setup_sects : LINUX_DEFAULT_SETUP_SECTS) + 1) *
		LINUX_SECTOR;
	if (setup >= kernel->size ||
	    h->syssize * UINT64_C(16) > ALIGN_UP(kernel->size - setup, 16)) {
		vm_log(vm, LOG_ERROR, "kernel %s: %llu bytes: cut short, its header tells of %llu",
		       kernel->name, (unsigned long long)kernel->size,
		       (unsigned long long)(setup + h->syssize * UINT64_C(16)));
		return -ENOEXEC;
	}
	img->code = (const uint8_t *)kernel->data + setup;
	img->code_size = kernel->size - setup;
	/* Room to unpack itself to, which an old kernel does not tell. */
	if (!h->init_size)
		h->init_size = (uint32_t)MIN(3 * img->code_size, UINT64_C(0xfffff000));
	return 0;
}

/* Is there memory for the kernel, where a CPU gets that has neither paging nor higher tables? */
static bool linux_fits(const struct guest_memory *m, gpa_t load, uint64_t need)
{
	return load >= LINUX_LOAD && load < m->low_end && guest_is_ram(m, load, need);
}

/* What a kernel moves itself up to from where it was put; 1: it runs there. */
static uint64_t linux_alignment(const struct linux_header *h)
{
	uint64_t align = h->kernel_alignment;

	return h->relocatable_kernel && align >= LINUX_PAGE && !(align & (align - 1)) ? align : 1;
}

/* At its preferred address; a relocatable kernel that does not fit there goes lower. */
static int linux_place(struct vm *vm, const struct boot_module *kernel, struct linux_image *img)
{
	const struct linux_header *h = &img->header;
	uint64_t need = MAX((uint64_t)h->init_size, img->code_size);
	uint64_t align = linux_alignment(h);

	img->load = h->pref_address;
	if (align > 1 && !linux_fits(vm->memory, img->load, need))
		img->load = ALIGN_UP(LINUX_LOAD, align);
	if (!linux_fits(vm->memory, img->load, need)) {
		vm_log(vm, LOG_ERROR,
		       "kernel %s needs %llu KiB of memory from 0x%llx on, but the VM has %llu "
		       "MiB%s",
		       kernel->name, (unsigned long long)(need >> 10),
		       (unsigned long long)img->load, (unsigned long long)(vm->memory->size >> 20),
		       img->load < GUEST_LOW_LIMIT ? ": raise memory = in [vm]"
						   : ", and none can be entered there");
		return -ENOMEM;
	}
	img->run_end = ALIGN_UP(img->load, align) + need;
	return guest_write(vm, img->load, img->code, img->code_size);
}

/* As high as the kernel allows: below 4 GiB if it fits there, above when the kernel can. */
static gpa_t linux_initrd_place(const struct vm *vm, const struct linux_image *img, uint64_t size)
{
	const struct guest_memory *m = vm->memory;
	uint64_t top = MIN(m->low_end, (uint64_t)img->header.initrd_addr_max + 1);

	if (top >= size && ALIGN_DOWN(top - size, LINUX_PAGE) >= img->run_end)
		return ALIGN_DOWN(top - size, LINUX_PAGE);
	if ((img->header.xloadflags & XLOADFLAG_ABOVE_4G) && m->high_end > GUEST_HIGH_BASE &&
	    m->high_end - GUEST_HIGH_BASE >= size)
		return ALIGN_DOWN(m->high_end - size, LINUX_PAGE);
	return 0;
}

static int linux_load_initrd(struct vm *vm, const struct boot_module *initrd,
			     const struct linux_image *img, struct linux_params *params)
{
	uint64_t have = vm->memory->low_end > img->run_end ? vm->memory->low_end - img->run_end : 0;
	gpa_t gpa;

	if (!initrd)
		return 0;
	gpa = linux_initrd_place(vm, img, initrd->size);
	if (!gpa) {
		vm_log(vm, LOG_ERROR,
		       "initrd %s (%llu KiB) does not fit behind the kernel: %llu KiB are there; "
		       "raise memory = in [vm]",
		       initrd->name, (unsigned long long)(initrd->size >> 10),
		       (unsigned long long)(have >> 10));
		return -ENOMEM;
	}
	params->header.ramdisk_image = (uint32_t)gpa;
	params->header.ramdisk_size = (uint32_t)initrd->size;
	params->ext_ramdisk_image = (uint32_t)(gpa >> 32);
	params->ext_ramdisk_size = (uint32_t)(initrd->size >> 32);
	return guest_write(vm, gpa, initrd->data, initrd->size);
}

static int linux_load_cmdline(struct vm *vm, const char *cmdline, const struct linux_image *img,
			      struct linux_params *params)
{
	size_t len = strlen(cmdline);
	size_t max = MIN((size_t)img->header.cmdline_size, (size_t)LINUX_CMDLINE_MAX - 1);

	if (len > max) {
		vm_log(vm, LOG_ERROR, "cmdline is %zu characters long, the kernel takes %zu", len,
		       max);
		return -E2BIG;
	}
	params->header.cmd_line_ptr = LINUX_CMDLINE_GPA;
	return guest_write(vm, LINUX_CMDLINE_GPA, cmdline, len + 1);
}

/* As kernels asked before there were maps (INT 15h, AH = 88h, and AX = E801h). */
static void linux_set_memory(const struct vm *vm, struct linux_params *params)
{
	params->alt_mem_k = (uint32_t)((vm->memory->low_end - LINUX_LOAD) >> 10);
	params->screen.ext_mem_k = (uint16_t)MIN(params->alt_mem_k, 0xfc00u);
}

/* Zeroes where the VM has no text screen. */
static void linux_set_screen(struct vm *vm, struct linux_screen *screen)
{
	const struct boot_screen *boot = device_iface(vm, NULL, BOOT_SCREEN_KIND);

	if (!boot)
		return;
	screen->mode = boot->mode;
	screen->columns = boot->columns;
	screen->rows = boot->rows;
	screen->points = boot->points;
	screen->ega_bx = LINUX_EGA_256K;
	screen->is_vga = 1;
}

static int linux_load_params(struct vm *vm, const struct load_request *req,
			     const struct linux_image *img)
{
	struct linux_params *params = kzalloc(sizeof(*params));
	int err;

	if (!params)
		return -ENOMEM;
	params->header = img->header;
	params->header.type_of_loader = LOADER_TYPE_UNDEFINED;
	params->header.code32_start = (uint32_t)img->load;
	params->header.setup_data = 0;
	params->header.ramdisk_image = params->header.ramdisk_size = 0;
	params->acpi_rsdp_addr = req->rsdp;
	linux_set_screen(vm, &params->screen);
	linux_set_memory(vm, params);
	params->e820_entries = (uint8_t)guest_e820(vm, params->e820, LINUX_E820_MAX);
	err = linux_load_initrd(vm, req->initrd, img, params);
	if (!err)
		err = linux_load_cmdline(vm, req->cmdline, img, params);
	if (!err)
		err = guest_write(vm, LINUX_PARAMS_GPA, params, sizeof(*params));
	kfree(params);
	return err;
}

/* A kernel that has both entries is entered in the mode that it works in. */
static int linux_enter(struct vm *vm, const struct linux_image *img)
{
	struct vcpu *vcpu = vm->vcpus[0];
	int err = img->header.xloadflags & XLOADFLAG_KERNEL_64
			  ? entry_state_long(vm, img->load + LINUX_ENTRY64)
			  : entry_state_protected(vm, img->load);

	if (err)
		return err;
	vcpu_set_gpr(vcpu, GPR_RSI, LINUX_PARAMS_GPA);
	vcpu_set_gpr(vcpu, GPR_RSP, LINUX_STACK_GPA);
	return 0;
}

static int linux_load(struct vm *vm, const struct load_request *req)
{
	struct linux_image img;
	int err;

	if (req->module_count) {
		vm_log(vm, LOG_ERROR, "kernel %s is a Linux kernel: it takes an initrd, no modules",
		       req->kernel->name);
		return -EINVAL;
	}
	err = linux_check(vm, req->kernel, &img);
	if (!err)
		err = linux_place(vm, req->kernel, &img);
	if (!err)
		err = linux_load_params(vm, req, &img);
	return err ? err : linux_enter(vm, &img);
}

LOADER(linux_loader, .name = "Linux bzImage", .probe = linux_probe, .load = linux_load);
