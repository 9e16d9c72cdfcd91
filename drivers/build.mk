# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_DRIVER_SERIAL_PORT) += drivers/serial_port.o drivers/serial_pipe.o
obj-$(CONFIG_DRIVER_VGA) += drivers/vga.o
obj-$(CONFIG_DRIVER_FRAMEBUFFER) += drivers/fb.o drivers/font.o
