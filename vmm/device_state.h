/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a device is saved, as one const table a structure, used in all
 * directions: it is saved by it, checked, loaded and printed. A device type
 * names its table (device_type.saved); one that has none makes a checkpoint of
 * its VM fail before anything is written.
 *
 *	static const struct device_field chip_fields[] = {
 *		DEVICE_FIELD(struct chip, control, .max = 0x3f),
 *		DEVICE_FIELD(struct chip, fifo),
 *		DEVICE_FIELD_STRUCTS(struct chip, channels, &channel_saved),
 *		DEVICE_FIELD_TIMER(struct chip, timer),
 *		{},
 *	};
 *	static const struct device_state chip_saved = {
 *		.name = "chip", .version = 1, .size = sizeof(struct chip),
 *		.lock = DEVICE_STATE_LOCK(struct chip, lock),
 *		.fields = chip_fields, .check = chip_check,
 *	};
 *
 * Numbers, booleans and arrays of them are DEVICE_FIELD: their kind and count
 * are the member's own. A structure inside has a table of its own, and so has
 * what a pointer leads to (DEVICE_FIELD_REF): queues, or whatever stands behind
 * a handle, whose table only the handle knows. What is of no fixed length, such as
 * queued frames, is a blob. What the config or create() has set (ports, sizes,
 * pointers) is no field: a VM is restored by making it from its config first.
 *
 * Names and versions stand in streams: what a table says is written and read as
 * it says, in its order. A later version adds fields with `since`; loaded from
 * an older stream, they stay as after a reset.
 *
 * Context: tasks. The VM is paused, or is being made and did not run yet; its
 * clock stands, when a state is checked and loaded, at the time of the saving.
 */
#ifndef VMM_DEVICE_STATE_H
#define VMM_DEVICE_STATE_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device_timer;
struct irq_line;

/* As in streams. */
enum device_field_kind {
	DEVICE_FIELD_END_KIND, /* of a structure */
	DEVICE_FIELD_U8_KIND,
	DEVICE_FIELD_U16_KIND,
	DEVICE_FIELD_U32_KIND,
	DEVICE_FIELD_U64_KIND,
	DEVICE_FIELD_BOOL_KIND,
	DEVICE_FIELD_TIMER_KIND,  /* struct device_timer *: when it fires */
	DEVICE_FIELD_LINE_KIND,	  /* struct irq_line *: the level, of which no chip is told */
	DEVICE_FIELD_STRUCT_KIND, /* structures in place */
	DEVICE_FIELD_BLOB_KIND,
	/* In streams, these are STRUCT: */
	DEVICE_FIELD_REF_KIND,	/* structures that a pointer leads to */
	DEVICE_FIELD_TAIL_KIND, /* the array that the structure ends with */
};

/* What stands behind a pointer, or how long the structure's tail is. Functions see the structure
 * that has it. */
struct device_ref {
	const struct device_state *type; /* or, where it is NULL: */
	/* NULL: it cannot be saved, and *@name (preset with the field's) is what it is. */
	const struct device_state *(*type_of)(const void *state, const char **name);
	/* How many there are, constant from create() on; NULL: one, or none where the pointer is
	 * NULL. */
	size_t (*count)(const void *state);
};

/* Under the structure's lock; save() allocates nothing. */
struct device_blob {
	/* Puts what there is into @buf where it fits into @size; returns how long it is. */
	size_t (*save)(void *state, uint8_t *buf, size_t size);
	/* NULL: it is good; or what is wrong with it. As device_state.check. */
	const char *(*check)(const void *state, const uint8_t *data, size_t len);
	/* After check(). NULL, or why not, for instance no memory. */
	const char *(*load)(void *state, const uint8_t *data, size_t len);
};

struct device_field {
	const char *name;
	uint32_t offset;
	uint16_t count;
	uint8_t kind;
	uint8_t since; /* the version that brought it */
	union {
		uint64_t max; /* of a number; 0: any */
		const struct device_state *type;
		const struct device_ref *ref;
		const struct device_blob *blob;
	};
};

/*
 * What is too much for a field: pages of PAGE_SIZE, such as a disk's, each with a place, @at. They
 * are saved when all states are, and loaded before them, into a device that was just made.
 */
struct device_pages {
	uint64_t (*size)(const void *state); /* no page lies behind it */
	/* NULL: the page is as in a device that was just made. */
	const uint8_t *(*read)(const void *state, uint64_t at);
	/* NULL: no memory. */
	uint8_t *(*write)(void *state, uint64_t at);
	/*
	 * From freeze() to thaw() read() gives what was there at freeze(), while the device goes
	 * on: between its users' pre_save() and post_save(). -ENOMEM. False: some of it is lost,
	 * because there was no memory to keep it. Tasks; thaw() waits.
	 */
	int (*freeze)(void *state);
	bool (*thaw)(void *state);
};

struct device_state {
	const char *name; /* a device type's own, else the structure's */
	uint8_t version;  /* from 1 on */
	uint32_t size;	  /* of the structure */
	uint32_t lock;	  /* held over its fields, those inside included; 0: none */
	const struct device_field *fields; /* ended by a NULL name; NULL: none */
	const struct device_pages *pages;  /* of a device's own table alone; NULL: none */
	/*
	 * Before it is saved: brings to memory what is elsewhere, and what is under way to an end.
	 * From then on until post_save() it writes nothing to the guest's memory, and what it has
	 * mapped of that to write is mapped anew behind it (vmm/guest_past.h).
	 * May wait, no lock is held; the structure's before those that it leads to. NULL: nothing.
	 */
	void (*pre_save)(void *state);
	/* When all is saved, or could not be: goes on. Context as of pre_save(). NULL: nothing. */
	void (*post_save)(void *state);
	/*
	 * NULL: the fields go together; or the name of one that does not. @state is a copy of the
	 * structure with all fields as they would be loaded, and so is what its fields lead to;
	 * everything else in it is as in the new device, where nothing was loaded yet: its locks
	 * and lists are not to be touched. Called for what it leads to first.
	 */
	const char *(*check)(const void *state);
	/*
	 * When the whole VM is loaded, memory, vCPUs and all devices, in the order of devices, what
	 * a structure leads to first: maps, hooks, what is computed. It tells no interrupt chip,
	 * which know already. No lock is held. NULL, or why the VM cannot run.
	 */
	const char *(*post_load)(void *state);
};

/* The kind of a number, or of an array of them. */
#define DEVICE_FIELD_KIND_OF(value_) \
	_Generic((value_),                       \
		 uint8_t: DEVICE_FIELD_U8_KIND,  \
		 uint8_t *: DEVICE_FIELD_U8_KIND, \
		 uint16_t: DEVICE_FIELD_U16_KIND, \
		 uint16_t *: DEVICE_FIELD_U16_KIND, \
		 uint32_t: DEVICE_FIELD_U32_KIND, \
		 uint32_t *: DEVICE_FIELD_U32_KIND, \
		 int32_t: DEVICE_FIELD_U32_KIND, \
		 uint64_t: DEVICE_FIELD_U64_KIND, \
		 uint64_t *: DEVICE_FIELD_U64_KIND, \
		 int64_t: DEVICE_FIELD_U64_KIND, \
		 bool: DEVICE_FIELD_BOOL_KIND, \
		 bool *: DEVICE_FIELD_BOOL_KIND)
#define DEVICE_FIELD_SIZE_OF(value_)                                                      \
	_Generic((value_), uint8_t * : 1, uint16_t * : 2, uint32_t * : 4, uint64_t * : 8, \
		 bool * : 1, default                                                      \
		 : sizeof(value_))
#define DEVICE_FIELD_MEMBER(struct_, member_) (((struct_ *)0)->member_)

#define DEVICE_FIELD_AS(struct_, member_, kind_, count_, ...)                            \
	{                                                                                \
		.name = #member_, .offset = offsetof(struct_, member_), .kind = (kind_), \
		.count = (count_), __VA_ARGS__                                           \
	}
/* A number or boolean, or an array of them; then `.max`, `.since`. */
#define DEVICE_FIELD(struct_, member_, ...)                                                  \
	DEVICE_FIELD_AS(struct_, member_,                                                    \
			DEVICE_FIELD_KIND_OF(DEVICE_FIELD_MEMBER(struct_, member_)),         \
			sizeof(DEVICE_FIELD_MEMBER(struct_, member_)) /                      \
				DEVICE_FIELD_SIZE_OF(DEVICE_FIELD_MEMBER(struct_, member_)), \
			__VA_ARGS__)
/* A structure inside, by its table @type_; and an array of them. */
#define DEVICE_FIELD_STRUCT(struct_, member_, type_, ...) \
	DEVICE_FIELD_AS(struct_, member_, DEVICE_FIELD_STRUCT_KIND, 1, .type = (type_), __VA_ARGS__)
#define DEVICE_FIELD_STRUCTS(struct_, member_, type_, ...)                                  \
	DEVICE_FIELD_AS(struct_, member_, DEVICE_FIELD_STRUCT_KIND,                         \
			ARRAY_SIZE(DEVICE_FIELD_MEMBER(struct_, member_)), .type = (type_), \
			__VA_ARGS__)
/* What the pointer leads to, by its struct device_ref. */
#define DEVICE_FIELD_REF(struct_, member_, ref_, ...) \
	DEVICE_FIELD_AS(struct_, member_, DEVICE_FIELD_REF_KIND, 1, .ref = (ref_), __VA_ARGS__)
/* An array of no stated length, the last member: of ref->type, ref->count. */
#define DEVICE_FIELD_TAIL(struct_, member_, ref_, ...) \
	DEVICE_FIELD_AS(struct_, member_, DEVICE_FIELD_TAIL_KIND, 1, .ref = (ref_), __VA_ARGS__)
/* Pointers that device_timer() and device_irq() gave, NULL ones included. */
#define DEVICE_FIELD_TIMER(struct_, member_, ...) \
	DEVICE_FIELD_AS(struct_, member_, DEVICE_FIELD_TIMER_KIND, 1, __VA_ARGS__)
#define DEVICE_FIELD_LINE(struct_, member_, ...) \
	DEVICE_FIELD_AS(struct_, member_, DEVICE_FIELD_LINE_KIND, 1, __VA_ARGS__)
#define DEVICE_FIELD_BLOB(name_, blob_, ...)                                                  \
	{                                                                                     \
		.name = (name_), .kind = DEVICE_FIELD_BLOB_KIND, .count = 1, .blob = (blob_), \
		__VA_ARGS__                                                                   \
	}

#define DEVICE_STATE_LOCK(struct_, member_) (offsetof(struct_, member_) + 1)

/* A device that a guest cannot change, or whose state is its config: device_type.saved. */
#define DEVICE_STATE_NONE(name_) (&(const struct device_state){.name = (name_), .version = 1})

/* Whether all that @state leads to has a table; NULL, or what has none. */
const char *device_state_lacks(const struct device_state *type, const void *state);

void device_state_pre_save(const struct device_state *type, void *state);
void device_state_post_save(const struct device_state *type, void *state);
/*
 * Writes what fits into @size bytes of @buf; returns how many it takes, which
 * may be another number the next time. Nothing is allocated.
 */
size_t device_state_save(const struct device_state *type, void *state, uint8_t *buf, size_t size);
/*
 * Whether the @len bytes of @data are a state for @state, which stays as it is. -EINVAL (@why, of
 * @size bytes, says which field and what about it) or -ENOMEM.
 */
int device_state_check(const struct device_state *type, void *state, const uint8_t *data,
		       size_t len, char *why, size_t size) __must_check;
/* After the check. -EINVAL: a blob could not be loaded, and the device is not to be used. */
int device_state_load(const struct device_state *type, void *state, const uint8_t *data, size_t len,
		      char *why, size_t size) __must_check;
/* NULL, or what is wrong. */
const char *device_state_post_load(const struct device_state *type, void *state);

/* For a person: a line a field, of what device_state_save() wrote. */
typedef void (*device_state_print_fn)(const char *fmt, ...) __printf(1, 2);
void device_state_print(const uint8_t *data, size_t len, device_state_print_fn print);

#endif
