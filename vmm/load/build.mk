# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_LOAD_LINUX) += vmm/load/linux.o
obj-$(CONFIG_LOAD_MULTIBOOT) += vmm/load/multiboot1.o vmm/load/multiboot2.o vmm/load/elf.o \
	vmm/load/flat.o vmm/load/load_blob.o
