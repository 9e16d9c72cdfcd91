# SPDX-License-Identifier: BSD-2-Clause
#
# Alcazar. `make help` lists what there is to do; the rules are in mk/.

# Not empty when make is only to tell what it would do (-n, -q), or builds nothing.
TELLS := $(findstring n,$(firstword -$(MAKEFLAGS)))$(findstring q,$(firstword -$(MAKEFLAGS)))
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
# On all CPUs, unless -j says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:
.DELETE_ON_ERROR:
SHELL := /bin/bash

# Everything that is built lies here; `make BUILD=build/other` keeps two apart.
BUILD ?= build
# What does not depend on the configuration is built once, for all of them.
SHARED := build
# What came over the network; `make clean` keeps it.
CACHE := $(SHARED)/cache
# Made when scripts/setup has found or installed all that the rest needs.
SETUP := $(SHARED)/.setup
# The folders that the image is made of.
IMAGE_DIRS := boot lib arch kernel drivers vmm devices admin

ifeq ($(V),)
Q := @
say = @$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,printf) '  %-7s %s\n' $(1) $(2)
else
Q :=
say = @:
endif
comma := ,

.PHONY: all
all: $(BUILD)/alcazar.elf

include mk/flags.mk
include mk/config.mk
include mk/third-party.mk
include mk/image.mk
include mk/iso.mk
include mk/run.mk
include mk/tests.mk
include mk/guests.mk
include mk/bench.mk

$(SETUP): scripts/setup
	$(Q)scripts/setup
	$(Q)mkdir -p $(@D) && touch $@

.PHONY: setup clean distclean help
setup:
	$(Q)rm -f $(SETUP)
	$(Q)$(MAKE) --no-print-directory $(SETUP)

clean:
	$(Q)[ ! -d $(BUILD) ] || find $(BUILD) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +

distclean:
	$(Q)rm -rf $(BUILD) .config .config.old

help:
	@cat mk/help.txt
