# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_DEV_SERIAL16550) += devices/serial/uart16550.o
obj-$(CONFIG_DEV_CHAR_CONSOLE) += devices/backend/char_console.o
obj-$(CONFIG_DEV_LAPIC) += $(patsubst %,devices/chipset/%.o,lapic lapic_access lapic_msr \
	lapic_ipi lapic_timer)
