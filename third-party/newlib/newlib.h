/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How newlib is configured; stands in for the file that its configure writes.
 * Formatted output knows %hh, %ll, %j, %z and %t; no multibyte characters, no
 * floating point, no files.
 */
#ifndef NEWLIB_H
#define NEWLIB_H

#define _WANT_IO_C99_FORMATS 1
#define _WANT_IO_LONG_LONG   1
#define _WANT_REENT_SMALL    1
#define _MB_LEN_MAX	     1

#endif
