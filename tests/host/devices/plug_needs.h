/* SPDX-License-Identifier: BSD-2-Clause */
/* What each type of device needs to be made. */
#ifndef TESTS_HOST_DEVICES_PLUG_NEEDS_H
#define TESTS_HOST_DEVICES_PLUG_NEEDS_H

struct plug_need {
	const char *type;
	const char *before; /* devices that must be there */
	const char *keys;
};

/* Most types are content with their keys' defaults. */
const struct plug_need *plug_need_of(const char *type);

#endif
