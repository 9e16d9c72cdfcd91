/* SPDX-License-Identifier: BSD-2-Clause */
/* One VM, plug_world.h's, that is saved to a stream in memory and made anew from it. */
#ifndef TESTS_HOST_DEVICES_CKPT_WORLD_H
#define TESTS_HOST_DEVICES_CKPT_WORLD_H

#include "vmm/checkpoint/checkpoint.h"
#include "vmm/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device_pages;
struct vm_config;

#define DEVICES                                                        \
	"[device \"pic\"]\ntype = pic\n[device \"pit\"]\ntype = pit\n" \
	"[device \"com2\"]\ntype = uart16550\nio = 0x2f8\nirq = 3\n"   \
	"[device \"log\"]\ntype = char-log\nfrontend = com2\n"

#define CKPT_DISK                                 \
	DEVICES "[device \"f\"]\ntype = socket\n" \
		"[device \"disk\"]\ntype = ramdisk\nfrontend = f\nsize = 5M\n"

extern uint8_t *ckpt_stream;
extern size_t ckpt_stream_len;
extern char ckpt_why[CHECKPOINT_WHY_MAX];
extern unsigned ckpt_stills, ckpt_set_vcpus;
extern uint64_t ckpt_set_ahead;	     /* what the last vCPU's TSC is ahead of the VM's clock */
extern struct vm_config *ckpt_given; /* what the VM was made of */

/* For a test to set. */
extern void (*ckpt_meanwhile)(void); /* once, when the VM has gone on and is being written */
extern bool (*ckpt_step)(struct checkpoint_writer *w, uint64_t done, uint64_t total);

extern uint32_t ckpt_cpuid_eax;
extern bool ckpt_bad_vcpu, ckpt_stream_full;
extern bool ckpt_any_vcpu;	       /* vCPUs' registers may be others than were saved */
extern const char *ckpt_typed_between; /* the records of the 8259s and the UART */
/* com2's backend has tried to say something before the load, and how often it was asked since. */
extern bool ckpt_typed_early;
extern unsigned ckpt_asked_for_input;

int ckpt_init(void);
void ckpt_start(const char *devices);
int ckpt_save(void);
/* The VM is made of @devices, whatever the stream says. */
int ckpt_restore(const char *devices);
int ckpt_restore_as(const char *devices, const char *name);
int ckpt_restore_from(const struct checkpoint_source *source, const char *devices,
		      const char *name);
void ckpt_poke(gpa_t gpa, uint64_t value);
uint64_t ckpt_peek(gpa_t gpa);
/* A VM in the middle of its work, saved and gone. */
void ckpt_make_stream(void);
void ckpt_read_part(void *opaque, uint64_t at, void *buf, size_t len);

/* Of the disk of CKPT_DISK. */
const struct device_pages *ckpt_disk_pages(void **state);

#endif
