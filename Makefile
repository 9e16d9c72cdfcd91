# SPDX-License-Identifier: BSD-2-Clause
#
# Alcazar. `make help` lists what there is to do; the rules are in mk/.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/bash

# Everything that is built lies here; `make BUILD=build/other` keeps two apart.
BUILD ?= build
# What does not depend on the configuration is built once, for all of them.
SHARED := build

ifeq ($(V),)
Q := @
say = @printf '  %-7s %s\n' $(1) $(2)
else
Q :=
say = @:
endif

.PHONY: all
all: $(BUILD)/alcazar.elf

include mk/flags.mk
include mk/third-party.mk
include mk/image.mk
