/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arguments of a host device's URL, `key=value&…`, checked against the keys
 * of its scheme as a config section is against those of a device type.
 */
#ifndef DEVICES_HOSTDEV_HOST_ARGS_H
#define DEVICES_HOSTDEV_HOST_ARGS_H

#include "lib/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct device;
struct device_key;
struct host_args;

/*
 * Takes @text apart, which it changes and which stays as long as the result.
 * -EINVAL (a key that is unknown, given twice, missing, or whose value is not
 * what it should be: logged with @owner's name and what was expected) or -ENOMEM.
 */
int host_args_parse(struct device *owner, const struct device_key *keys, char *text,
		    struct host_args **out) __must_check;
void host_args_free(struct host_args *args);

/* Of a key in the scheme's table: these cannot fail. The string is valid as long as @args. */
const char *host_args_string(const struct host_args *args, const char *key);
uint64_t host_args_uint(const struct host_args *args, const char *key);
bool host_args_bool(const struct host_args *args, const char *key);

#endif
