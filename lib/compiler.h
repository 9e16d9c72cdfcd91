/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What we ask of the compiler, in one place. Pure: builds on the host too.
 */
#ifndef LIB_COMPILER_H
#define LIB_COMPILER_H

#include <stddef.h>
#include <stdint.h>
/* The C library's names for some of these, seen first so that ours are the last word. */
#include <sys/cdefs.h>

#undef __must_check
#undef __packed
#undef __aligned
#undef __noreturn
#undef __unused
#undef __always_inline
#undef __noinline
#undef __section

#define __must_check	__attribute__((warn_unused_result))
#define __packed	__attribute__((packed))
#define __aligned(n)	__attribute__((aligned(n)))
#define __noreturn	__attribute__((noreturn))
#define __printf(f, a)	__attribute__((format(printf, f, a)))
#define __unused	__attribute__((unused))
#define __always_inline inline __attribute__((always_inline))
#define __noinline	__attribute__((noinline))
#define __cold		__attribute__((cold))
#define __section(name) __attribute__((section(name), used))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x) /* the text of what the macro @x stands for */

#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define BIT(n)		 (UINT64_C(1) << (n))
#define ALIGN_UP(x, a)	 (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)

#define MIN(a, b)                                  \
	({                                         \
		__typeof__(a) _min_a = (a);        \
		__typeof__(b) _min_b = (b);        \
		_min_a < _min_b ? _min_a : _min_b; \
	})
#define MAX(a, b)                                  \
	({                                         \
		__typeof__(a) _max_a = (a);        \
		__typeof__(b) _max_b = (b);        \
		_max_a > _max_b ? _max_a : _max_b; \
	})

/* The structure of type @type whose member @member @ptr points to. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* The compiler forgets how it got @x, and keeps it instead of computing it again. */
#define opaque_to_compiler(x) __asm__("" : "+r"(x))

/* One access, not torn, not repeated and not invented by the compiler. */
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/*
 * A const table gathered by the linker: each TABLE_ENTRY(name, type, ident)
 * adds one element; TABLE_START/TABLE_END bound the array. The sections'
 * names are C identifiers, so that every linker, also the host's, bounds
 * them with __start_ and __stop_ symbols by itself. Those are weak: a table
 * that no entry was linked into is empty, not an error.
 */
#define TABLE_ENTRY(name, type, ident) \
	static const type ident        \
		__attribute__((section("table_" #name), used, aligned(__alignof__(type))))
#define TABLE_DECLARE(name, type)                                       \
	extern const type __start_table_##name[] __attribute__((weak)), \
		__stop_table_##name[] __attribute__((weak))
#define TABLE_START(name) (__start_table_##name)
#define TABLE_END(name)	  (__stop_table_##name)

#endif
