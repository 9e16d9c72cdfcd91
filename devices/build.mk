# SPDX-License-Identifier: BSD-2-Clause
obj-y += $(patsubst %,devices/cpu/%.o,stored_msr family_msrs machine_check mtrr)
obj-$(CONFIG_DEV_SERIAL16550) += devices/serial/uart16550.o devices/serial/uart16550_line.o
obj-$(CONFIG_DEV_SCREEN) += $(patsubst %,devices/backend/%.o,screen screen_draw screen_keys cp437)
obj-$(CONFIG_DEV_CHAR_CONSOLE) += devices/backend/char_console.o
obj-$(CONFIG_DEV_CHAR_UART) += devices/backend/char_uart.o
obj-$(CONFIG_DEV_CHAR_LOG) += devices/backend/char_log.o
obj-$(CONFIG_DEV_SWITCH) += devices/backend/switch.o devices/backend/switch_table.o \
	devices/backend/switch_info.o devices/backend/net_offload.o
obj-$(CONFIG_DEV_NET_NULL) += devices/backend/net_null.o
obj-$(CONFIG_DEV_RAMDISK) += devices/backend/ramdisk.o devices/backend/ramdisk_image.o
obj-$(CONFIG_DEV_NULL_DISK) += devices/backend/null_disk.o
obj-$(CONFIG_DEV_SNAPSHOT_DISK) += devices/storage/
obj-$(CONFIG_DEV_CHAR_PAIR) += devices/backend/char_pair.o
obj-$(CONFIG_DEV_GENERIC) += devices/generic.o devices/generic_ranges.o \
	devices/hostdev/machine_ports.o drivers/ports.o \
	devices/hostdev/machine_memory.o drivers/device_memory.o
obj-$(CONFIG_HOSTDEV_SCRATCH) += devices/hostdev/scratch.o
obj-$(CONFIG_DEV_VGA) += devices/vga/vga.o devices/vga/vga_regs.o devices/vga/vga_memory.o \
	devices/vga/vga_text.o
obj-$(CONFIG_DEV_LAPIC) += $(patsubst %,devices/chipset/%.o,lapic lapic_access lapic_msr \
	lapic_ipi lapic_timer lapic_state lapic_virtual)
obj-$(CONFIG_DEV_IOAPIC) += devices/chipset/ioapic.o
obj-$(CONFIG_DEV_PIC) += devices/chipset/pic.o
obj-$(CONFIG_DEV_PIT) += devices/chipset/pit.o
obj-$(CONFIG_DEV_RTC) += devices/chipset/rtc.o devices/chipset/rtc_nvram.o
obj-$(CONFIG_DEV_PM) += devices/chipset/pm.o devices/chipset/reset_control.o
obj-$(CONFIG_DEV_PS2) += devices/chipset/ps2.o devices/chipset/ps2_port.o devices/chipset/ps2_keys.o
obj-$(CONFIG_DEV_ACPI) += devices/chipset/acpi.o devices/chipset/acpi_tables.o \
	devices/chipset/acpi_dsdt.o devices/chipset/acpi_hotplug.o devices/chipset/acpi_pci.o \
	devices/chipset/aml.o devices/chipset/bios_stub.o devices/chipset/mp_table.o
obj-$(CONFIG_DEV_PCI) += $(patsubst %,devices/pci/%.o,pci pci_access pci_address pci_assign pci_bridge \
	pci_caps pci_config pci_decode pci_function pci_info pci_irq pci_isa pci_msix pci_pages pci_saved)
obj-$(CONFIG_DEV_PCI_HOTPLUG) += devices/pci/pci_hotplug.o
obj-$(CONFIG_DEV_FWCFG) += devices/chipset/fw_cfg.o
obj-$(CONFIG_DEV_DEBUG_EXIT) += devices/chipset/debug_exit.o devices/chipset/debug_console.o
obj-$(CONFIG_DEV_PVCLOCK) += devices/pv/pvclock.o
obj-$(CONFIG_DEV_PCI_FRONT) += devices/pci/pci_front.o devices/pci/pci_front_make.o
obj-$(CONFIG_HOSTDEV_NULL) += devices/hostdev/null.o
obj-$(CONFIG_HOSTDEV_TESTDEV) += devices/hostdev/testdev.o devices/hostdev/testdev_command.o
obj-$(CONFIG_HOSTDEV_EDU) += devices/hostdev/edu.o
obj-$(CONFIG_HOSTDEV_VIRTIO) += $(patsubst %,devices/virtio/%.o,virtq virtq_chain virtq_split \
	virtq_packed virtio virtio_common virtio_pci virtio_saved)
obj-$(CONFIG_HOSTDEV_VIRTIO_BLK) += $(patsubst %,devices/virtio/%.o,virtio_blk virtio_blk_request \
	virtio_blk_info)
obj-$(CONFIG_HOSTDEV_VIRTIO_NET) += $(patsubst %,devices/virtio/%.o,virtio_net virtio_net_queue \
	virtio_net_control virtio_net_filter virtio_net_info virtio_net_mac)
obj-$(CONFIG_HOSTDEV_VIRTIO_RNG) += devices/virtio/virtio_rng.o
obj-$(CONFIG_HOSTDEV_VIRTIO_CONSOLE) += devices/virtio/virtio_console.o \
	devices/virtio/virtio_console_control.o devices/virtio/virtio_console_output.o \
	devices/virtio/virtio_console_saved.o \
	devices/virtio/virtio_port.o
