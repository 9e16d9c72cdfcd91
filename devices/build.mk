# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_DEV_SERIAL16550) += devices/serial/uart16550.o
obj-$(CONFIG_DEV_CHAR_CONSOLE) += devices/backend/char_console.o
