# SPDX-License-Identifier: BSD-2-Clause
#
# newlib (a chosen list of its files), the Zydis decoder and LZ4, from Debian's
# source packages, and a font. third-party/ holds what is ours; see third-party/THIRD-PARTY.md.

NEWLIB := $(SHARED)/newlib
NEWLIB_TARBALL := /usr/src/newlib/newlib-3.3.0.tar.xz

NEWLIB_FILES := \
	$(addprefix string/,memchr memcmp memcpy memmem memmove memrchr memset strcasecmp strcat \
	strchr strcmp strcpy strcspn strlcat strlcpy strlen strncasecmp strncat strncmp strncpy \
	strnlen strpbrk strrchr strsep strspn strstr strtok_r) \
	$(addprefix ctype/,ctype_ isalnum isalpha isblank iscntrl isdigit islower isprint \
	ispunct isspace isupper isxdigit tolower toupper) \
	$(addprefix stdlib/,abs labs llabs mbtowc_r strtol strtoll strtoul strtoull wctomb_r) \
	$(addprefix search/,bsearch qsort) \
	$(addprefix stdio/,svfiprintf sniprintf vsniprintf) \
	$(addprefix locale/,locale localeconv) \
	errno/errno

NEWLIB_OBJS := $(patsubst %,$(NEWLIB)/%.o,$(NEWLIB_FILES) stubs)
NEWLIB_INCLUDE := -isystem $(NEWLIB)/include

# Debian's source is not ours to make free of warnings (-w). A loop of memcpy()
# must not become a call of memcpy().
NEWLIB_CFLAGS := $(FREESTANDING) $(NEWLIB_INCLUDE) $(GCC_INCLUDE) -w -fno-tree-loop-distribute-patterns \
	-I$(NEWLIB)/src/newlib/libc/ctype -DNO_FLOATING_POINT -DMISSING_SYSCALL_NAMES -D__DYNAMIC_REENT__
$(call remember,$(NEWLIB)/.cflags,$(CC) $(NEWLIB_CFLAGS) $(NEWLIB_FILES))

$(NEWLIB)/.unpacked: third-party/newlib/newlib.h | $(SETUP)
	$(call say,UNPACK,newlib)
	$(Q)test -r $(NEWLIB_TARBALL) || { echo "$(NEWLIB_TARBALL) is missing: run scripts/setup" >&2; false; }
	$(Q)rm -rf $(NEWLIB)/src $(NEWLIB)/include && mkdir -p $(NEWLIB)/src
	$(Q)tar -xf $(NEWLIB_TARBALL) -C $(NEWLIB)/src --strip-components=1 --wildcards '*/newlib/libc/include' \
		$(patsubst %,'*/newlib/libc/%',errno locale string ctype stdlib search stdio)
	$(Q)mv $(NEWLIB)/src/newlib/libc/include $(NEWLIB)/include
	$(Q)rm $(NEWLIB)/include/stdatomic.h
	$(Q)cp third-party/newlib/newlib.h $(NEWLIB)/include/newlib.h
	$(Q)touch $@

$(NEWLIB)/%.o: $(NEWLIB)/.unpacked $(NEWLIB)/.cflags
	$(call say,CC,newlib/$*)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(NEWLIB_CFLAGS) -c -o $@ $(NEWLIB)/src/newlib/libc/$*.c

# The formatter for strings, of the file that also makes the one for files.
$(NEWLIB)/stdio/svfiprintf.o: $(NEWLIB)/.unpacked $(NEWLIB)/.cflags
	$(call say,CC,newlib/stdio/svfiprintf)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(NEWLIB_CFLAGS) -DINTEGER_ONLY -DSTRING_ONLY -c -o $@ $(NEWLIB)/src/newlib/libc/stdio/vfprintf.c

$(NEWLIB)/stubs.o: third-party/newlib/stubs.c $(NEWLIB)/.unpacked $(NEWLIB)/.cflags
	$(call say,CC,$<)
	$(Q)$(CC) $(NEWLIB_CFLAGS) -c -o $@ $<

$(NEWLIB)/libc.a: $(NEWLIB_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $(NEWLIB_OBJS)

# Zydis: decoder and formatter. The same definitions hold where its headers are used.
ZYDIS := $(SHARED)/zydis
ZYDIS_VERSION := 4.0.0-1
ZYDIS_FILES := Decoder DecoderData Formatter FormatterATT FormatterBase FormatterBuffer FormatterIntel \
	Mnemonic Register Segment SharedData String Utils
ZYDIS_DEFS := -DZYAN_NO_LIBC -DZYDIS_STATIC_BUILD -DZYCORE_STATIC_BUILD -DZYDIS_DISABLE_ENCODER \
	-DZYDIS_DISABLE_AVX512 -DZYDIS_DISABLE_KNC
ZYDIS_INCLUDE := -isystem $(ZYDIS)/include $(ZYDIS_DEFS)
ZYDIS_SRC := $(CACHE)/zydis-$(ZYDIS_VERSION)
ZYDIS_CFLAGS := $(ZYDIS_INCLUDE) -I$(ZYDIS_SRC)/src -w
ZYDIS_HOST_CFLAGS := -O2 -g -std=gnu11
$(call remember,$(ZYDIS)/.cflags,$(CC) $(FREESTANDING) $(ZYDIS_CFLAGS) $(ZYDIS_HOST_CFLAGS))

$(ZYDIS_SRC): | $(SETUP)
	$(call say,FETCH,$@)
	$(Q)scripts/fetch-source zydis $(ZYDIS_VERSION) $@

$(ZYDIS)/.unpacked: | $(ZYDIS_SRC)
	$(Q)rm -rf $(ZYDIS)/include && mkdir -p $(ZYDIS)/include
	$(Q)cp -r /usr/include/Zycore $(ZYDIS_SRC)/include/Zydis $(ZYDIS)/include
	$(Q)touch $@

$(ZYDIS)/%.o: $(ZYDIS)/.unpacked $(ZYDIS)/.cflags | $(NEWLIB)/.unpacked
	$(call say,CC,zydis/$*)
	$(Q)$(CC) $(FREESTANDING) $(NEWLIB_INCLUDE) $(GCC_INCLUDE) $(ZYDIS_CFLAGS) \
		$(if $(filter Decoder%,$*),,-Os) -c -o $@ $(ZYDIS_SRC)/src/$*.c

# For the tests that run on the build machine.
$(ZYDIS)/host-%.o: $(ZYDIS)/.unpacked $(ZYDIS)/.cflags
	$(call say,HOSTCC,zydis/$*)
	$(Q)$(CC) $(ZYDIS_HOST_CFLAGS) $(ZYDIS_CFLAGS) -c -o $@ $(ZYDIS_SRC)/src/$*.c

$(ZYDIS)/libzydis.a: $(ZYDIS_FILES:%=$(ZYDIS)/%.o)
$(ZYDIS)/libzydis-host.a: $(ZYDIS_FILES:%=$(ZYDIS)/host-%.o)
$(ZYDIS)/libzydis.a $(ZYDIS)/libzydis-host.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $^

# LZ4: two functions, of one file of its source, which ours includes. For the build machine's tests
# with the sanitizer: a byte too many is seen there.
LZ4_VERSION := 1.9.4-1
LZ4_INCLUDE := -isystem third-party/lz4
LZ4_SRC := $(CACHE)/lz4-$(LZ4_VERSION)
LZ4_OBJ := $(SHARED)/lz4/lz4_block.o
LZ4_HOST_OBJ := $(SHARED)/lz4/host-lz4_block.o
LZ4_CFLAGS := -DLZ4_STATIC_LINKING_ONLY_DISABLE_MEMORY_ALLOCATION -DLZ4_FAST_DEC_LOOP=0 \
	-isystem $(LZ4_SRC)/lib -w
LZ4_HOST_CC := clang -std=gnu11 -O1 -g -fsanitize=address
$(call remember,$(SHARED)/lz4/.cflags,$(CC) $(FREESTANDING) $(LZ4_CFLAGS) $(LZ4_HOST_CC))

$(LZ4_SRC): | $(SETUP)
	$(call say,FETCH,$@)
	$(Q)scripts/fetch-source lz4 $(LZ4_VERSION) $@

$(LZ4_OBJ) $(LZ4_HOST_OBJ): third-party/lz4/lz4_block.c third-party/lz4/lz4_block.h \
		$(SHARED)/lz4/.cflags | $(LZ4_SRC) $(NEWLIB)/.unpacked

$(LZ4_OBJ):
	$(call say,CC,$<)
	$(Q)$(CC) $(FREESTANDING) $(NEWLIB_INCLUDE) $(GCC_INCLUDE) $(LZ4_CFLAGS) -c -o $@ $<

$(LZ4_HOST_OBJ):
	$(call say,HOSTCC,$<)
	$(Q)$(LZ4_HOST_CC) $(LZ4_CFLAGS) -c -o $@ $<

# The letters of the framebuffer's text, as a header with a table.
FONT := $(SHARED)/font
FONT_INCLUDE := -I$(FONT)
FONT_PCF := $(CACHE)/8x13-ISO8859-1.pcf.gz

$(FONT_PCF): | $(SETUP)
	$(call say,FETCH,$@)
	$(Q)scripts/fetch-files $(@D) xfonts-base usr/share/fonts/X11/misc/$(@F)

$(FONT)/font_glyphs.h: scripts/gen-font | $(FONT_PCF)
	$(Q)mkdir -p $(@D)
	$(Q)scripts/gen-font $(FONT_PCF) >$@.new && mv $@.new $@

# ChaCha20: a header of newlib's with functions, alone in a folder, so that the build machine's
# tests find it, too.
CHACHA := $(NEWLIB)/chacha/chacha_private.h
CHACHA_INCLUDE := -isystem $(dir $(CHACHA))

$(CHACHA): | $(NEWLIB)/.unpacked
	$(Q)mkdir -p $(@D) && cp $(NEWLIB)/src/newlib/libc/stdlib/$(@F) $@

# jsmn: a header with functions. The folder that it comes from has the build machine's own headers.
JSMN := $(SHARED)/jsmn/jsmn.h
JSMN_INCLUDE := -isystem $(dir $(JSMN))

$(JSMN): | $(SETUP)
	$(Q)mkdir -p $(@D) && cp /usr/include/$(@F) $@

# What every file of the image waits for: headers from outside the tree.
THIRD_PARTY_HEADERS := $(NEWLIB)/.unpacked $(ZYDIS)/.unpacked $(FONT)/font_glyphs.h $(CHACHA) $(JSMN)
