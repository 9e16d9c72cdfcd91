# SPDX-License-Identifier: BSD-2-Clause
#
# Costs, counted in instructions: tests/bench/run says what and how.

BENCH := $(SHARED)/bench

$(BENCH)/ticks: tests/bench/ticks.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O2 $(WARNINGS) -nostdlib -static -fno-stack-protector -fno-pie -no-pie -o $@ $<

$(BENCH)/initrd: tests/bench/init $(BENCH)/ticks scripts/make-initramfs | $(SETUP)
	$(call say,INITRD,$@)
	$(Q)mkdir -p $(@D) && scripts/make-initramfs $@ tests/bench/init $(BENCH)/ticks

.PHONY: bench bench-build
bench-build: $(BUILD)/alcazar.elf $(SHARED)/guests/bench.elf $(SHARED)/guests/entry.elf \
	$(BENCH)/initrd $(DEMO_FILES) $(HOST)/vmm/test_hook_cost allyes

bench: | $(SETUP)
	$(Q)$(MAKE) --no-print-directory bench-build
	$(Q)$(HOST)/vmm/test_hook_cost 2>&1 | grep instructions; test $${PIPESTATUS[0]} = 0
	$(Q)tests/bench/run
