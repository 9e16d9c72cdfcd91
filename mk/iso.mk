# SPDX-License-Identifier: BSD-2-Clause
#
# The ISO. VM=DIR… puts one's own VMs on it instead of the demo; CMDLINE is the
# hypervisor's command line.

ISO := $(BUILD)/alcazar.iso
DEMO := $(SHARED)/demo
DEMO_FILES := $(addprefix $(DEMO)/,demo.cfg initrd vmlinuz)
CMDLINE ?=
VM ?= $(DEMO)
VM_FILES := $(if $(filter-out $(DEMO),$(VM)),$(wildcard $(VM:%=%/*))) \
	$(if $(filter $(DEMO),$(VM)),$(DEMO_FILES))

$(call remember,$(BUILD)/.iso-args,$(VM) $(VM_FILES) $(CMDLINE))

.PHONY: iso
iso: $(ISO)

$(ISO): $(BUILD)/alcazar.elf $(VM_FILES) scripts/make-iso $(BUILD)/.iso-args
	$(call say,ISO,$@)
	$(Q)scripts/make-iso $@ $(BUILD)/alcazar.elf "$(CMDLINE)" $(VM)

$(DEMO)/demo.cfg: configs/demo/demo.cfg
	$(Q)mkdir -p $(@D) && cp $< $@

# In the order in which the guest loads them; a kernel may have some of them built in.
DEMO_MODULES := $(shell grep -v "^\#" configs/demo/modules)
DEMO_ROOT := $(addprefix configs/demo/,init inittab modules power profile)
# For the power button.
POWER_MODULES := evdev button
$(DEMO)/initrd: $(DEMO_ROOT) scripts/make-initramfs | $(SETUP) $(CACHE)/modules
	$(call say,INITRD,$@)
	$(Q)mkdir -p $(@D) && scripts/make-initramfs $@ $(DEMO_ROOT) \
		$(wildcard $(patsubst %,$(CACHE)/modules/%.ko,$(DEMO_MODULES) $(POWER_MODULES)))

# Fetched once: a newer kernel in the archive is no reason to download it again, a module more is.
TEST_MODULES := crc16 mbcache jbd2 crc32c_generic ext4
FETCHED_MODULES := $(DEMO_MODULES) $(POWER_MODULES) $(TEST_MODULES)
$(call remember,$(CACHE)/.modules,$(FETCHED_MODULES))
$(CACHE)/vmlinuz $(CACHE)/modules &: $(CACHE)/.modules | $(SETUP)
	$(call say,FETCH,$(CACHE)/vmlinuz)
	$(Q)scripts/fetch-kernel $(CACHE) $(FETCHED_MODULES)

$(DEMO)/vmlinuz: $(CACHE)/vmlinuz
	$(Q)mkdir -p $(@D) && cp $< $@
