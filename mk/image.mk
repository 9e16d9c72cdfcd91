# SPDX-License-Identifier: BSD-2-Clause
#
# The image: every .c and .S file of these folders, less what the configuration
# leaves out.

IMAGE_DIRS := boot lib arch kernel drivers vmm devices admin
IMAGE_SRCS := $(sort $(shell find $(wildcard $(IMAGE_DIRS)) -name '*.[cS]'))
IMAGE_OBJS := $(patsubst %,$(BUILD)/%.o,$(IMAGE_SRCS))

CC := gcc
LD := ld

# The guest's FPU and SSE state stays live in the registers: nothing that is
# linked may touch it (-mgeneral-regs-only). NMIs use the stack as it is
# (-mno-red-zone). The backtrace of a panic follows frame pointers.
FREESTANDING := -std=gnu11 -O2 -g -ffreestanding -nostdinc -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -mcmodel=kernel -fcf-protection=none -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fno-common -fno-strict-aliasing \
	-isystem $$($(CC) -print-file-name=include)
WARNINGS := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla
IMAGE_CFLAGS := $(FREESTANDING) $(WARNINGS) -I.
IMAGE_LDFLAGS := -nostdlib -static -z noexecstack -z max-page-size=4096 --build-id=none \
	--fatal-warnings -T linker.ld

# A change of the flags or of the list of files rebuilds what they went into.
# $(call remember,file,value): the file's date moves only when the value does.
remember = $(if $(filter-out x$(subst $() ,,$(strip $(file <$(1)))),x$(subst $() ,,$(strip $(2)))),\
	$(shell mkdir -p $(dir $(1)))$(file >$(1),$(strip $(2))))
$(call remember,$(BUILD)/.cflags,$(CC) $(IMAGE_CFLAGS))
$(call remember,$(BUILD)/.ldflags,$(IMAGE_LDFLAGS) $(IMAGE_OBJS))

$(BUILD)/%.c.o: %.c $(BUILD)/.cflags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(IMAGE_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.S.o: %.S $(BUILD)/.cflags
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(IMAGE_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/alcazar.elf: $(IMAGE_OBJS) linker.ld $(BUILD)/.ldflags
	$(call say,LD,$@)
	$(Q)$(LD) $(IMAGE_LDFLAGS) -Map=$(BUILD)/alcazar.map -o $@ $(IMAGE_OBJS)

-include $(IMAGE_OBJS:.o=.d)
