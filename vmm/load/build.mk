# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_LOAD_LINUX) += vmm/load/linux.o
