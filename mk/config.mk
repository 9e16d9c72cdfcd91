# SPDX-License-Identifier: BSD-2-Clause
#
# What is linked. CONFIG names the configuration: .config, which need not exist
# (then everything has its default), or allno or allyes.
#
# A build.mk says which files a symbol of Kconfig stands for:
#     obj-$(CONFIG_DEV_PIC) += devices/chipset/pic.o
#     obj-$(CONFIG_SVM) += vmm/svm/
# A file that no build.mk names is always linked.

CONFIG ?= .config
CONFIG_MK := $(BUILD)/config.mk
KCONFIG_TOOL = KCONFIG_CONFIG=$(CONFIG) /usr/bin/python3 -m

$(call remember,$(BUILD)/.config-args,$(CONFIG) $(wildcard $(CONFIG)))

# Remade by make before it does anything else.
ifneq ($(filter-out clean distclean help setup %config,$(or $(MAKECMDGOALS),all)),)
include $(CONFIG_MK)
else
# Without it nobody knows what is linked, and nobody asks.
TELLS := y
endif

$(CONFIG_MK): Kconfig scripts/kconfig $(wildcard $(CONFIG)) $(BUILD)/.config-args | $(SETUP)
	$(Q)mkdir -p $(@D)
	$(Q)scripts/kconfig $(CONFIG) $@

include $(wildcard $(IMAGE_DIRS:%=%/build.mk) $(IMAGE_DIRS:%=%/*/build.mk))

# What is switched off: files, and folders with all that is in them.
LEFT_OUT := $(patsubst %.o,%.c,$(obj-)) $(patsubst %.o,%.S,$(obj-)) \
	$(patsubst %/,%/%,$(filter %/,$(obj-)))

# For the tests: what the configuration leaves out.
.PHONY: left-out
left-out:
	@printf '%s\n' $(obj-)

.PHONY: menuconfig defconfig allnoconfig allyesconfig olddefconfig savedefconfig
menuconfig olddefconfig allnoconfig allyesconfig: | $(SETUP)
	$(Q)$(KCONFIG_TOOL) $@ Kconfig

defconfig: | $(SETUP)
	$(Q)$(KCONFIG_TOOL) alldefconfig Kconfig

# Those of configs/, and one's own made with savedefconfig.
%_defconfig: configs/%_defconfig | $(SETUP)
	$(Q)$(KCONFIG_TOOL) defconfig --kconfig Kconfig $<

savedefconfig: | $(SETUP)
	$(Q)$(KCONFIG_TOOL) savedefconfig --kconfig Kconfig --out defconfig
	@echo "Saved to ./defconfig: put it into configs/ as NAME_defconfig."
