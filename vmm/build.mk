# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_CHECKPOINT) += vmm/checkpoint/ vmm/device_state.o vmm/device_state_load.o \
	vmm/device_state_print.o
