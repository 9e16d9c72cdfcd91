/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What newlib asks of the system below it.
 */
#include <errno.h>
#include <reent.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/*
 * One state for all CPUs, so that it works from the first line of boot on and
 * in a panic. Of the chosen files only strtol() and its kin write to it, and
 * only errno: nobody can trust errno, and a check of the tree forbids its use.
 * Overflow shows in the value (ULONG_MAX ...).
 */
static struct _reent reent;

struct _reent *__getreent(void)
{
	return &reent;
}

/*
 * Formatted output asks for memory only where it makes its own buffer
 * (asprintf), which is not among the chosen files.
 */
void *_malloc_r(struct _reent *r, size_t size)
{
	(void)r;
	(void)size;
	return NULL;
}

void *_realloc_r(struct _reent *r, void *p, size_t size)
{
	(void)r;
	(void)p;
	(void)size;
	return NULL;
}

void _free_r(struct _reent *r, void *p)
{
	(void)r;
	(void)p;
}

/* Without floating point, the integer-only functions are the whole. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	return vsniprintf(buf, size, fmt, args);
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsniprintf(buf, size, fmt, args);
	va_end(args);
	return n;
}
