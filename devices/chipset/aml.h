/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes ACPI Machine Language (ACPI 6.4, chapter 20) into a buffer of fixed
 * size. What does not fit is dropped and told by `overflow`.
 */
#ifndef DEVICES_CHIPSET_AML_H
#define DEVICES_CHIPSET_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *buf;
	size_t size, used;
	bool overflow;
};

/* Something with a length in front; between its begin and aml_end() goes what it holds. */
struct aml_block {
	size_t at; /* of its length */
};

void aml_bytes(struct aml *a, const void *bytes, size_t n);
/* An integer constant, as short as it can be (20.2.3). */
void aml_integer(struct aml *a, uint64_t value);
void aml_string(struct aml *a, const char *s);
/* "PNP0501" as the compressed id that it stands for; any other id as a string (19.3.4). */
void aml_hid(struct aml *a, const char *id);
/* A reference by name: segments of four characters with a '.' between them, after a '\' or not.
 * Of a method without arguments it is a call. */
void aml_path(struct aml *a, const char *path);
/* Name(@name, …): the object follows. */
void aml_name(struct aml *a, const char *name);
void aml_end(struct aml *a, struct aml_block block);
struct aml_block aml_scope(struct aml *a, const char *name);
struct aml_block aml_device(struct aml *a, const char *name);
struct aml_block aml_package(struct aml *a, uint8_t elements);
/* In methods: what follows is done when object @name is not 0. */
struct aml_block aml_if(struct aml *a, const char *name);
void aml_return(struct aml *a, const char *name);
/* Object @name becomes the method's first argument. */
void aml_store_arg0(struct aml *a, const char *name);

/* Method(@name, @args): its statements follow. Not serialized. */
struct aml_block aml_method(struct aml *a, const char *name, uint8_t args);
/* OperationRegion(@name, SystemIO, @port, @bytes) */
void aml_region_io(struct aml *a, const char *name, uint16_t port, uint8_t bytes);
/* Field(@region, DWordAcc, NoLock, WriteAsZeros): aml_field_dword() follow. */
struct aml_block aml_field(struct aml *a, const char *region);
void aml_field_dword(struct aml *a, const char *name);
/* Store(@name, Local0), Store(Local0, @name), Store(@value, @name) */
void aml_load_local(struct aml *a, const char *name);
void aml_store_local(struct aml *a, const char *name);
void aml_store(struct aml *a, uint64_t value, const char *name);
/* If (And(Local0, @mask)): what it does follows. */
struct aml_block aml_if_local(struct aml *a, uint64_t mask);
/* Notify(@device, @value) */
void aml_notify(struct aml *a, const char *device, uint8_t value);

/* A resource template (6.4): begin, descriptors, end. */
struct aml_resources {
	struct aml_block block;
	size_t length_at; /* of the buffer's size, patched at the end */
};
struct aml_resources aml_resources(struct aml *a);
void aml_io(struct aml *a, uint16_t port, uint8_t count);
void aml_irqs(struct aml *a, uint16_t mask);
void aml_memory(struct aml *a, uint32_t base, uint32_t size);
/* What a bridge passes on to the bus behind it; addresses beyond 4 GiB are told as such. */
enum aml_window { AML_WINDOW_MEMORY, AML_WINDOW_IO, AML_WINDOW_BUS, AML_WINDOW_PREFETCHABLE };
void aml_window(struct aml *a, enum aml_window what, uint64_t first, uint64_t last);
void aml_resources_end(struct aml *a, struct aml_resources r);

#endif
