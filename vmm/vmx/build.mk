# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_VMX) += vmm/vmx/
obj-$(CONFIG_VMX_COUNT) += vmm/vmx/vmx_count.o

# vmx_count.h.
ifeq ($(CONFIG_VMX_COUNT),y)
$(BUILD)/vmm/vmx/%.o: IMAGE_CFLAGS += -DVMX_COUNT=1
endif
$(call remember,$(BUILD)/.vmx-count,$(CONFIG_VMX_COUNT))
$(patsubst %,$(BUILD)/%.o,$(wildcard vmm/vmx/*.c)): $(BUILD)/.vmx-count
