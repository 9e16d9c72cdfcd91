# SPDX-License-Identifier: BSD-2-Clause
#
# Tests that run on the build machine: tests/host/README.md says how one is written.

HOST_CC := clang
HOST_CFLAGS := -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -Wall -Wextra -Werror \
	-Itests/host/fake -I. $(FONT_INCLUDE) $(CHACHA_INCLUDE) $(ZYDIS_INCLUDE) $(LZ4_INCLUDE)
# Twice as quick as the usual one, which is half a minute of make check. Fixups of code, which the
# image has in a table, lie in what is only read.
HOST_LDFLAGS := -fuse-ld=lld -Wl,-z,notext
HOST := $(SHARED)/host

HOST_TESTS := $(sort $(wildcard tests/host/*/test_*.c))
HOST_BINARIES := $(HOST_TESTS:tests/host/%.c=$(HOST)/%)
# The same for libFuzzer, which wants all of their sources instrumented.
HOST_FUZZERS := $(sort $(wildcard tests/host/*/fuzz_*.c))
HOST_FUZZER_BINARIES := $(HOST_FUZZERS:tests/host/%.c=$(HOST)/%)

# One word a line of sources: TEST.c:SOURCE,SOURCE… A folder stands for all that is in it.
HOST_USES := $(if $(HOST_TESTS),$(shell grep -Ho 'test-sources:.*[^ */]' $(HOST_TESTS) $(HOST_FUZZERS) | \
	sed 's/:test-sources: */:/; s/[ \t][ \t]*/,/g'))
uses = $(foreach source,$(call words_of,$(1)),$(if $(filter %.c,$(source)),$(source),\
	$(sort $(wildcard $(source)/*.c $(source)/*/*.c $(source)/*/*/*.c))))
words_of = $(foreach use,$(HOST_USES),$(if $(filter $(1):%,$(use)),$(subst $(comma), ,$(use:$(1):%=%))))

$(call remember,$(HOST)/.cflags,$(HOST_CC) $(HOST_CFLAGS) $(HOST_LDFLAGS))
$(call remember,$(HOST)/.uses,$(HOST_USES))

$(HOST)/obj/%.o: %.c $(HOST)/.cflags | $(ZYDIS)/.unpacked $(FONT)/font_glyphs.h $(CHACHA)
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(HOST)/fuzz-obj/%.o: %.c $(HOST)/.cflags | $(ZYDIS)/.unpacked $(CHACHA)
	$(call say,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

# The C of a document's first ```c block: what it shows is compiled and tested.
$(SHARED)/docs/%.c: docs/%.md
	$(Q)mkdir -p $(@D)
	$(Q)sed -n '/^```c$$/,/^```$$/{/^```/!p}' $< >$@

# What a fuzzer is made of is compiled once, for it: in a test the runtime's empty callbacks stand
# for libFuzzer's.
FUZZED_SOURCES := $(sort $(HOST_FUZZERS) $(foreach fuzzer,$(HOST_FUZZERS),$(call uses,$(fuzzer))))
host_objs = $(patsubst %.c,$(HOST)/fuzz-obj/%.o,$(filter $(FUZZED_SOURCES),$(1))) \
	$(patsubst %.c,$(HOST)/obj/%.o,$(filter-out $(FUZZED_SOURCES),$(1)))

define host_program
$(1:tests/host/%.c=$(HOST)/%): $(2)
HOST_OBJS += $(2)
endef
$(foreach program,$(HOST_TESTS) $(HOST_FUZZERS),$(eval \
	$(call host_program,$(program),$(call host_objs,$(program) $(call uses,$(program))))))

$(HOST_BINARIES): $(ZYDIS)/libzydis-host.a $(LZ4_HOST_OBJ) $(HOST)/.uses
	$(call say,HOSTLD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -o $@ $(filter %.o,$^) $(ZYDIS)/libzydis-host.a -lcmocka

$(HOST_FUZZER_BINARIES): $(ZYDIS)/libzydis-host.a $(LZ4_HOST_OBJ) $(HOST)/.uses
	$(call say,HOSTLD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(ZYDIS)/libzydis-host.a -lcmocka

# Each for so many seconds, on what it found the last time; those whose name contains one of TESTS.
FUZZ_S ?= 60
FUZZ := $(SHARED)/fuzz
fuzz_name = $(subst /,-,$(1:$(HOST)/%=%))
FUZZED := $(if $(TESTS),$(foreach test,$(TESTS),$(foreach fuzzer,$(HOST_FUZZER_BINARIES),\
	$(if $(findstring $(test),$(fuzzer)),$(fuzzer)))),$(HOST_FUZZER_BINARIES))

define fuzz
.PHONY: fuzz-$(call fuzz_name,$1)
fuzz-$(call fuzz_name,$1): $1
	$(call say,FUZZ,$1 for $(FUZZ_S) s)
	$(Q)mkdir -p $(FUZZ)/$(call fuzz_name,$1)
	$(Q)$1 -max_total_time=$(FUZZ_S) -max_len=2048 -timeout=10 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix=$(FUZZ)/$(call fuzz_name,$1)- $(FUZZ)/$(call fuzz_name,$1) \
		$(wildcard $(dir $(1:$(HOST)/%=tests/host/%))seeds_$(patsubst fuzz_%,%,$(notdir $1))) \
		>$(FUZZ)/$(call fuzz_name,$1).log 2>&1 || { cat $(FUZZ)/$(call fuzz_name,$1).log; exit 1; }
	$(Q)grep -hE '^ +[0-9]+ accesses to|^stat::number_of_executed' $(FUZZ)/$(call fuzz_name,$1).log
endef
$(foreach fuzzer,$(HOST_FUZZER_BINARIES),$(eval $(call fuzz,$(fuzzer))))

.PHONY: fuzz
fuzz: $(foreach fuzzer,$(FUZZED),fuzz-$(call fuzz_name,$(fuzzer)))

.PHONY: host-tests
host-tests: $(HOST_BINARIES) $(HOST_FUZZER_BINARIES)

-include $(sort $(HOST_OBJS:.o=.d))

# All that the tests run, and all of the tests. What cannot be built fails as a
# test of its own, and what does not depend on it is still run. TESTS=TEXT… runs
# those whose name contains one of these.
TESTS ?=
CONFIGURATIONS := allno allyes minimal

.PHONY: check check-all check-build $(CONFIGURATIONS)
check-build: all iso guests bench-build host-tests $(if $(TESTS),,$(CONFIGURATIONS))

# They share their objects: one make after the other.
allyes: | $(BUILD)/alcazar.elf
allno minimal: | allyes
$(CONFIGURATIONS): | $(THIRD_PARTY_HEADERS) $(IMAGE_LIBS)
	$(Q)$(MAKE) --no-print-directory BUILD=build/$@ OBJECTS=$(OBJECTS) \
		CONFIG=$(firstword $(wildcard configs/$@_defconfig) $@)

# Two lines: make runs one that names $(MAKE) even when it is asked with -n only to
# show what it would do, and a test asks that of every command in the documents.
check check-all: | $(SETUP)
	$(Q)$(MAKE) --no-print-directory -k check-build; echo $$? >$(BUILD)/.check-build
	$(Q)tests/run --build $$(cat $(BUILD)/.check-build) $(if $(filter check-all,$@),--all) $(TESTS)

# By the packaged labgrid, with the packaged Python: docs/testbed.md.
.PHONY: labgrid
labgrid: $(ISO) | $(SETUP)
	$(Q)scripts/setup labgrid python3-pytest
	$(Q)cd tests/labgrid && LG_ISO=$(abspath $(ISO)) PYTHONDONTWRITEBYTECODE=1 timeout 600 \
		/usr/bin/python3 -m pytest -p no:cacheprovider --lg-env qemu.yaml .

check-all: labgrid

.PHONY: budgets
budgets: $(BUILD)/alcazar.elf
	$(Q)scripts/budgets $<
