# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_VMX) += vmm/vmx/
obj-$(CONFIG_VMX_COUNT) += vmm/vmx/vmx_count.o

# vmx_count.h.
ifeq ($(CONFIG_VMX_COUNT),y)
APART += vmm/vmx/%.c
$(BUILD)/apart/vmm/vmx/%.o: IMAGE_CFLAGS += -DVMX_COUNT=1
endif
