# SPDX-License-Identifier: BSD-2-Clause
#
# Compilers and flags.

CC := gcc
LD := ld

# The guest's FPU and SSE state stays live in the registers: nothing that is
# linked may touch it (-mgeneral-regs-only). NMIs use the stack as it is
# (-mno-red-zone). The backtrace of a panic follows frame pointers. Functions are
# aligned, what they jump to is not: that was 18 KB of nothing.
FREESTANDING := -std=gnu11 -O2 -g -ffreestanding -nostdinc -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -mcmodel=kernel -fcf-protection=none -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fno-common -fno-strict-aliasing \
	-ffunction-sections -fdata-sections -falign-jumps=1 -falign-loops=1 -falign-labels=1
# After newlib's headers, which come first.
GCC_INCLUDE := -isystem $$($(CC) -print-file-name=include)
WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla

# $(call remember,file,value): the file's date moves only when the value does,
# so that a change of flags, or of a list of files, rebuilds what depends on it.
# A make that only tells what it would do leaves the file as it is.
remember = $(if $(call differ,$(wildcard $(1)),$(1))$(call differ,$(strip $(file <$(1))),$(strip $(2))),\
	$(if $(TELLS),,$(shell mkdir -p $(dir $(1)))$(file >$(1),$(strip $(2)))))
differ = $(subst x$(1)x,,x$(2)x)$(subst x$(2)x,,x$(1)x)
