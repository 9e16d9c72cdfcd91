/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/console_frontend.h"

const struct frontend_kind console_frontend_kind = {.name = "console"};
