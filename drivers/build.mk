# SPDX-License-Identifier: BSD-2-Clause
obj-$(CONFIG_DRIVER_VGA) += drivers/vga.o
obj-$(CONFIG_DRIVER_FRAMEBUFFER) += drivers/fb.o drivers/font.o
