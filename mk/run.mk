# SPDX-License-Identifier: BSD-2-Clause
#
# Alcazar in QEMU, the serial line on this terminal. ACCEL=kvm is for machines
# whose KVM offers nested SVM. QEMU 7.2 with a thread for each CPU may end guests:
# docs/testing.md tells why.

ACCEL ?= tcg,thread=single
CPUS ?= 2
MEMORY ?= 2048
QEMU_FLAGS ?=

QEMU_CPU := $(if $(filter kvm,$(ACCEL)),host,max$(comma)+svm)
QEMU := qemu-system-x86_64 -accel $(ACCEL) -cpu $(QEMU_CPU) -smp $(CPUS) -m $(MEMORY) \
	-display none -nic none -cdrom $(ISO) -boot d
QEMU_HERE := -serial mon:stdio
OVMF := /usr/share/OVMF
QEMU_UEFI := -M q35 -drive if=pflash,format=raw,unit=0,readonly=on,file=$(OVMF)/OVMF_CODE_4M.fd \
	-drive if=pflash,format=raw,unit=1,file=$(BUILD)/ovmf-vars.fd

ifneq ($(UEFI),)
QEMU += $(QEMU_UEFI)
run debug: $(BUILD)/ovmf-vars.fd
endif

$(BUILD)/ovmf-vars.fd: | $(SETUP)
	$(Q)mkdir -p $(@D) && cp $(OVMF)/OVMF_VARS_4M.fd $@

.PHONY: run debug debug-guest
run: $(ISO)
	@echo "Booting $(ISO) in QEMU. Ctrl-A x ends QEMU; Ctrl-] goes from a VM to Alcazar's prompt."
	$(Q)$(QEMU) $(QEMU_HERE) $(QEMU_FLAGS)

debug: $(ISO)
	@echo "QEMU waits for gdb before its first instruction. In another terminal:"
	@echo
	@echo "    gdb $(BUILD)/alcazar.elf -ex 'target remote :1234' -ex 'hbreak boot_main' -ex continue"
	@echo
	@echo "Ctrl-A x ends QEMU."
	$(Q)$(QEMU) $(QEMU_HERE) -s -S $(QEMU_FLAGS)

# The demo's VM under gdb; GDB_FLAGS are for gdb, as "vmlinux" or "-ex 'hbreak *0x1000000'".
GUEST ?= linux
GDB_FLAGS ?=
debug-guest: $(ISO)
	$(Q)scripts/debug-guest $(GUEST) $(QEMU) $(QEMU_FLAGS) -monitor none -- $(GDB_FLAGS)
