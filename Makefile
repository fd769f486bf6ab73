# hookline: `make help` lists what can be made.
#
# One static archive of all of core/ is built for each flavour (release, asan); the binary and the
# unit tests link against it. LAYERS=... narrows the archive, for work on one part.

FLAVOUR ?= release
BUILD   ?= build/$(FLAVOUR)
LAYERS  ?= base loop encode store script wire engine deliver api cli
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
VERSION := 0.1.0

PACKAGES := lua5.4 lua5.4-cjson libuv libcurl sqlite3 libcares libcrypto openssl
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wconversion -Werror
CFLAGS_release := -O2 -g -fno-plt -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                  -fno-sanitize-recover=all
LDFLAGS_asan   := -fsanitize=address,undefined

# Recursive variables: pkg-config is asked when something is compiled, not for `make help`.
PKG_CFLAGS = $(shell pkg-config --cflags $(PACKAGES))
PKG_LIBS   = $(shell pkg-config --libs $(PACKAGES))
LLHTTP    := /usr/share/llhttp
CPPFLAGS  += -Icore -D_GNU_SOURCE -DHOOKLINE_VERSION='"$(VERSION)"'
ALL_CFLAGS = -std=c11 $(WARNINGS) $(CFLAGS_$(FLAVOUR)) $(CFLAGS) -MMD -MP

TOP_SOURCES := $(if $(filter cli,$(LAYERS)),$(wildcard core/*.c))
SOURCES := $(foreach l,$(LAYERS),$(shell find core/$(l) -name '*.c' 2>/dev/null)) \
           $(filter-out core/main.c,$(TOP_SOURCES))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LLHTTP_OBJECTS := $(if $(filter wire,$(LAYERS)),$(addprefix $(BUILD)/llhttp/,api.o http.o llhttp.o))
LUA_FILES := $(shell find lua -name '*.lua' 2>/dev/null)
EMBEDDED := $(if $(filter script,$(LAYERS)),$(BUILD)/embedded_lua.o)

UNIT_SOURCES := $(foreach l,$(LAYERS) .,$(wildcard tests/unit/$(l)/test_*.c))
UNIT_TESTS   := $(sort $(UNIT_SOURCES:%.c=$(BUILD)/%))

.PHONY: all
all: $(BUILD)/hookline

$(BUILD)/libhookline.a: $(OBJECTS) $(LLHTTP_OBJECTS) $(EMBEDDED)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/hookline: $(BUILD)/core/main.o $(BUILD)/libhookline.a
	@echo "  link  $@"
	@$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  cc    $<"
	@$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(if $(filter core/wire/%,$<),-I/usr/share/include/llhttp) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	@$(CC) -I/usr/share/include/llhttp $(CFLAGS_$(FLAVOUR)) -w -c -o $@ $<

# The files of lua/ as bytes in the binary: a table of { name, text, length }.
$(BUILD)/embedded_lua.S: $(LUA_FILES) Makefile
	@mkdir -p $(@D)
	@{ echo '.section .rodata'; n=0; \
	   for f in $(sort $(LUA_FILES)); do \
	     echo ".Lname$$n: .asciz \"$${f#lua/}\""; echo ".Ltext$$n: .incbin \"$$f\""; echo ".Lend$$n: .byte 0"; \
	     n=$$((n+1)); done; \
	   echo '.section .data.rel.ro,"aw"'; echo '.balign 8'; echo '.globl embedded_lua_files'; \
	   echo 'embedded_lua_files:'; i=0; \
	   while [ $$i -lt $$n ]; do echo ".quad .Lname$$i, .Ltext$$i, .Lend$$i - .Ltext$$i"; i=$$((i+1)); done; \
	   echo '.quad 0, 0, 0'; echo '.section .note.GNU-stack,"",%progbits'; } > $@

$(BUILD)/embedded_lua.o: $(BUILD)/embedded_lua.S
	@$(CC) -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libhookline.a
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -Itests/unit $(PKG_CFLAGS) $(ALL_CFLAGS) $(LDFLAGS_$(FLAVOUR)) -o $@ $< \
	  $(BUILD)/libhookline.a $(PKG_LIBS) -lcmocka -lm

.PHONY: unit
unit: $(UNIT_TESTS) ## build and run the C unit tests
	@set -e; for t in $(UNIT_TESTS); do echo "  test  $$t"; $$t; done

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
