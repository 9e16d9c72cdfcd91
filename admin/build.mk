# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_POKE) += admin/poke.o admin/reload.o
