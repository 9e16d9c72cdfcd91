# SPDX-License-Identifier: BSD-2-Clause
#
# The test guests: tests/guest/NAME.c and the small library there, each one
# Multiboot kernel build/guests/NAME.elf. GUESTS_MB2 are built as Multiboot2 ELF64,
# the others as Multiboot ELF32, which QEMU's -kernel boots as well.

GUEST_SRCS := $(wildcard tests/guest/*.c)
GUEST_NAMES := $(GUEST_SRCS:tests/guest/%.c=%)
GUESTS := $(GUEST_NAMES:%=$(SHARED)/guests/%.elf)
GUESTS_MB2 := multiboot2
GUEST_LIB := $(patsubst %,$(SHARED)/guests/%.o,$(wildcard tests/guest/lib/*.c) tests/guest/lib/traps.S)

# Nothing of a guest is above 2 GiB: small addresses. Tests run in the order of the file.
GUEST_CFLAGS := $(filter-out -mcmodel=kernel,$(FREESTANDING)) -mcmodel=small -fno-toplevel-reorder $(WARNINGS) \
	$(NEWLIB_INCLUDE) $(GCC_INCLUDE) -I.
$(call remember,$(SHARED)/guests/.cflags,$(CC) $(GUEST_CFLAGS))

# The demo's Linux for Bochs, which would take minutes to unpack it.
UNPACKED_LINUX := $(SHARED)/guests/vmlinuz-unpacked

# memtest86+, a kernel of others for tests.
MEMTEST := $(addprefix $(CACHE)/,memtest86+ia32.bin memtest86+x64.bin)

.PHONY: guests
guests: $(GUESTS) $(UNPACKED_LINUX) $(MEMTEST)

$(MEMTEST) &: | $(SETUP)
	$(call say,FETCH,$(firstword $(MEMTEST)))
	$(Q)scripts/fetch-files $(CACHE) memtest86+ $(MEMTEST:$(CACHE)/%=boot/%)

$(UNPACKED_LINUX): $(CACHE)/vmlinuz scripts/unpack-kernel
	$(call say,UNPACK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)scripts/unpack-kernel $< $@

$(SHARED)/guests/%.c.o: %.c $(SHARED)/guests/.cflags | $(NEWLIB)/.unpacked
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(SHARED)/guests/%.S.o: %.S $(SHARED)/guests/.cflags
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -MMD -MP -c -o $@ $<

$(SHARED)/guests/entry-mb%.o: tests/guest/lib/entry.S $(SHARED)/guests/.cflags
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(GUEST_CFLAGS) -DMULTIBOOT=$* -MMD -MP -c -o $@ $<

$(GUESTS): $(SHARED)/guests/%.elf: $(SHARED)/guests/tests/guest/%.c.o $(GUEST_LIB) \
		$(SHARED)/guests/entry-mb1.o $(SHARED)/guests/entry-mb2.o $(NEWLIB)/libc.a tests/guest/lib/guest.ld
	$(call say,LD,$@)
	$(Q)$(LD) -nostdlib -static -z noexecstack -z max-page-size=4096 --build-id=none \
		-T tests/guest/lib/guest.ld -o $@ $< $(GUEST_LIB) \
		$(SHARED)/guests/entry-mb$(if $(filter $*,$(GUESTS_MB2)),2,1).o $(NEWLIB)/libc.a
	$(Q)$(if $(filter $*,$(GUESTS_MB2)),,objcopy -O elf32-i386 $@)

-include $(wildcard $(SHARED)/guests/*.d $(SHARED)/guests/tests/guest/*.d $(SHARED)/guests/tests/guest/lib/*.d)
