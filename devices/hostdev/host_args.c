/* SPDX-License-Identifier: BSD-2-Clause */
#include "devices/hostdev/host_args.h"

#include "kernel/panic.h"
#include "kernel/slab.h"
#include "vmm/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct host_arg {
	const struct device_key *key;
	const char *text; /* NULL: not seen yet */
	uint64_t number;
};

struct host_args {
	size_t count;
	struct host_arg args[];
};

static size_t host_keys_count(const struct device_key *keys)
{
	size_t n = 0;

	while (keys && keys[n].name)
		n++;
	return n;
}

/* For a message; cut at @size bytes. */
static void host_keys_list(const struct device_key *keys, char *buf, size_t size)
{
	size_t at = 0, i, n = host_keys_count(keys);

	snprintf(buf, size, "none");
	for (i = 0; i < n && at < size; i++)
		at += snprintf(buf + at, size - at, "%s%s", i ? ", " : "", keys[i].name);
}

static struct host_arg *host_arg_find(struct host_args *args, const char *name)
{
	size_t i;

	for (i = 0; i < args->count; i++)
		if (!strcmp(args->args[i].key->name, name))
			return &args->args[i];
	return NULL;
}

/* One `key=value`. */
static int host_arg_take(struct device *owner, const struct device_key *keys,
			 struct host_args *args, char *text)
{
	char *value = strchr(text, '=');
	struct host_arg *arg;
	char names[128];

	if (value)
		*value++ = '\0';
	arg = host_arg_find(args, text);
	if (!arg) {
		host_keys_list(keys, names, sizeof(names));
		device_log(owner, LOG_ERROR, "hostdev: '%s' is no argument of it: expected %s",
			   text, names);
		return -EINVAL;
	}
	if (!value || arg->text) {
		device_log(owner, LOG_ERROR, "hostdev: argument %s %s", text,
			   value ? "is given twice" : "has no value: expected KEY=VALUE");
		return -EINVAL;
	}
	arg->text = value;
	return 0;
}

/* Checks what was given, or the default. */
static int host_arg_check(struct device *owner, struct host_arg *arg)
{
	char expected[128];
	bool given = arg->text;

	if (!given)
		arg->text = arg->key->def;
	if (arg->text && device_key_parse(arg->key, arg->text, &arg->number))
		return 0;
	device_key_expected(arg->key, expected, sizeof(expected));
	device_log(owner, LOG_ERROR, "hostdev: argument %s: expected %s, %s%s%s", arg->key->name,
		   expected, given ? "got '" : "got none", given ? arg->text : "",
		   given ? "'" : "");
	return -EINVAL;
}

int host_args_parse(struct device *owner, const struct device_key *keys, char *text,
		    struct host_args **out)
{
	size_t i, n = host_keys_count(keys);
	struct host_args *args = kzalloc(sizeof(*args) + n * sizeof(args->args[0]));
	char *next;
	int err = 0;

	if (!args)
		return -ENOMEM;
	args->count = n;
	for (i = 0; i < n; i++)
		args->args[i].key = &keys[i];
	for (; text && *text && !err; text = next) {
		next = strchr(text, '&');
		if (next)
			*next++ = '\0';
		err = host_arg_take(owner, keys, args, text);
	}
	for (i = 0; i < n && !err; i++)
		err = host_arg_check(owner, &args->args[i]);
	if (err)
		kfree(args);
	else
		*out = args;
	return err;
}

void host_args_free(struct host_args *args)
{
	kfree(args);
}

/* A scheme that asks for a key that it does not have is broken. */
static const struct host_arg *host_arg_value(const struct host_args *args, const char *name)
{
	const struct host_arg *arg = host_arg_find((struct host_args *)args, name);

	if (!arg)
		panic("a host device reads argument %s, which its scheme does not declare", name);
	return arg;
}

const char *host_args_string(const struct host_args *args, const char *key)
{
	return host_arg_value(args, key)->text;
}

uint64_t host_args_uint(const struct host_args *args, const char *key)
{
	return host_arg_value(args, key)->number;
}

bool host_args_bool(const struct host_args *args, const char *key)
{
	return host_arg_value(args, key)->number != 0;
}
