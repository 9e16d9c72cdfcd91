# SPDX-License-Identifier: BSD-2-Clause
#
# The image: every .c and .S file of its folders, less what the configuration
# leaves out.

IMAGE_SRCS := $(filter-out $(LEFT_OUT),\
	$(sort $(shell find $(wildcard $(IMAGE_DIRS)) -name '*.[cS]')))
# No source asks what the configuration is, so that several may share the objects (mk/tests.mk). A
# build.mk puts patterns of sources that do into APART.
OBJECTS ?= $(BUILD)/image
IMAGE_OBJS := $(patsubst %,$(OBJECTS)/%.o,$(filter-out $(APART),$(IMAGE_SRCS))) \
	$(patsubst %,$(BUILD)/apart/%.o,$(filter $(APART),$(IMAGE_SRCS)))
IMAGE_LIBS := $(ZYDIS)/libzydis.a $(LZ4_OBJ) $(NEWLIB)/libc.a

IMAGE_CFLAGS := $(FREESTANDING) $(WARNINGS) $(NEWLIB_INCLUDE) $(ZYDIS_INCLUDE) $(GCC_INCLUDE) $(FONT_INCLUDE) $(CHACHA_INCLUDE) $(JSMN_INCLUDE) $(LZ4_INCLUDE) -I.
IMAGE_LDFLAGS := -nostdlib -static --gc-sections -z noexecstack -z max-page-size=4096 --build-id=none \
	--fatal-warnings -T linker.ld

# What runs when a person asks for it, or once: small rather than quick.
COLD := boot/% admin/% drivers/% vmm/load/% vmm/checkpoint/% vmm/device_iface% vmm/device_key% \
	vmm/device_plan% vmm/device_resources% vmm/device_state% vmm/device_types% vmm/vm_config% vmm/vm_life% vmm/cpu_model% \
	vmm/vmx/vmx_check% vmm/vmx/vmx_choose% vmm/vmx/vmx_dump% vmm/vmx/vmx_explain% vmm/vmx/vmx_probe% \
	vmm/vmx/vmx_report% vmm/svm/svm_explain% vmm/svm/svm_dump% vmm/svm/svm_probe% vmm/svm/svm_report% \
	kernel/panic% kernel/symbols% arch/x86_64/acpi% arch/x86_64/smp% devices/chipset/acpi% \
	devices/chipset/aml% devices/chipset/bios_stub% devices/chipset/fw_cfg% devices/chipset/mp_table% devices/chipset/ps2% \
	devices/chipset/rtc% devices/backend/screen% devices/pci/pci_front_make% devices/pci/pci_info% \
	devices/pci/pci_address% devices/pci/pci_assign% devices/pci/pci_hotplug% \
	devices/hostdev/host_args% devices/hostdev/host_config% devices/hostdev/host_info% \
	devices/hostdev/machine_% devices/hostdev/testdev% devices/hostdev/edu% devices/hostdev/scratch% \
	devices/pci/pci_saved% devices/pci/pci_caps% devices/pci/pci_function% devices/pci/pci_bridge% \
	devices/pci/pci_isa% devices/generic% devices/cpu/% devices/backend/switch_info% \
	devices/backend/null_disk% devices/backend/ramdisk_image% devices/backend/char_log% devices/backend/char_uart% devices/virtio/virtio_blk_info% \
	devices/virtio/virtio_net_info% devices/virtio/virtio_port% devices/virtio/virtio_saved% \
	devices/virtio/virtio_common% devices/virtio/virtio_console% devices/virtio/virtio_net_control% \
	devices/virtio/virtio_rng% devices/vga/vga_regs% devices/chipset/reset_control% \
	devices/chipset/debug_% devices/storage/% lib/ini% lib/parse% lib/date% vmm/device.% vmm/vcpu_saved% \
	vmm/fpu_state% vmm/post_mortem% devices/chipset/pit% devices/backend/char_pair% devices/pci/pci_decode% \
	devices/virtio/virtio_net_mac% vmm/vmx/vmx_controls% vmm/vmx/vmx_field% vmm/emulate/task_s% \
	vmm/vm_console% vmm/guest_past% kernel/console% kernel/log% arch/x86_64/paging%
optimise = $(if $(filter $(COLD),$(1)),-Os)

$(call remember,$(OBJECTS)/.cflags,$(CC) $(IMAGE_CFLAGS))
$(call remember,$(OBJECTS)/.cold,$(COLD))
$(call remember,$(BUILD)/.ldflags,$(LD) $(IMAGE_LDFLAGS) $(IMAGE_OBJS) $(IMAGE_LIBS))

define compile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(IMAGE_CFLAGS) $(call optimise,$<) -MMD -MP -c -o $@ $<
endef

$(OBJECTS)/%.c.o: %.c $(OBJECTS)/.cflags $(OBJECTS)/.cold | $(THIRD_PARTY_HEADERS)
	$(compile)

$(BUILD)/apart/%.c.o: %.c $(OBJECTS)/.cflags $(OBJECTS)/.cold | $(THIRD_PARTY_HEADERS)
	$(compile)

$(OBJECTS)/%.S.o: %.S $(OBJECTS)/.cflags | $(THIRD_PARTY_HEADERS)
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(IMAGE_CFLAGS) -MMD -MP -c -o $@ $<

# What linker.ld puts beside the image, packed. Its compressor is of LZ4's source as well.
$(SHARED)/pack: scripts/pack.c | $(LZ4_SRC)
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)gcc -O2 -I$(LZ4_SRC)/lib -o $@ $< $(LZ4_SRC)/lib/lz4.c $(LZ4_SRC)/lib/lz4hc.c

$(BUILD)/packed: $(BUILD)/alcazar-nosymbols.elf $(SHARED)/pack
	$(Q)objcopy -O binary -j .packed --set-section-flags .packed=alloc,load,contents $< $@.tables
	$(Q)$(SHARED)/pack <$@.tables >$@.new && mv $@.new $@

# Two links: the names of the functions, which a panic's backtrace prints, are
# taken from the first and go into the second. They lie behind the code, which
# therefore does not move.
$(BUILD)/symbols-none.S: scripts/gen-symbols
	$(Q)mkdir -p $(@D)
	$(Q)scripts/gen-symbols </dev/null >$@

$(BUILD)/symbols.S: $(BUILD)/alcazar-nosymbols.elf $(BUILD)/packed scripts/gen-symbols
	$(Q)nm -n $< | scripts/gen-symbols $(BUILD)/packed >$@

$(BUILD)/symbols%.o: $(BUILD)/symbols%.S $(OBJECTS)/.cflags
	$(Q)$(CC) $(IMAGE_CFLAGS) -c -o $@ $<

$(BUILD)/symbols.o: $(BUILD)/symbols.S $(OBJECTS)/.cflags
	$(Q)$(CC) $(IMAGE_CFLAGS) -c -o $@ $<

$(BUILD)/alcazar-nosymbols.elf: $(IMAGE_OBJS) $(BUILD)/symbols-none.o $(IMAGE_LIBS) linker.ld $(BUILD)/.ldflags
	$(Q)$(LD) $(IMAGE_LDFLAGS) -o $@ $(IMAGE_OBJS) $(BUILD)/symbols-none.o $(IMAGE_LIBS)

$(BUILD)/alcazar.elf: $(BUILD)/alcazar-nosymbols.elf $(BUILD)/symbols.o
	$(call say,LD,$@)
	$(Q)$(LD) $(IMAGE_LDFLAGS) -Map=$(BUILD)/alcazar.map -o $@.new $(IMAGE_OBJS) $(BUILD)/symbols.o $(IMAGE_LIBS)
	$(Q)objcopy -R .packed $@.new $@ && rm $@.new

-include $(IMAGE_OBJS:.o=.d)
