# hookline: `make help` lists what can be made. `make demo` and `make test` install what they miss.
#
# One static archive of all of core/ is built for each flavour (release, asan); the binary and the
# unit tests link against it. LAYERS=... narrows the archive, for work on one part.

FLAVOUR ?= release
BUILD   ?= build/$(FLAVOUR)
LAYERS  ?= base loop encode store script wire engine deliver api cli
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0

# Two jobs, unless -j says otherwise.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j2 --no-builtin-rules
endif

PACKAGES := lua5.4 lua5.4-cjson libuv libcurl sqlite3 libcares libcrypto openssl libxml-2.0
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wconversion -Werror
CFLAGS_release := -O2 -g -fno-plt -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                  -fno-sanitize-recover=all
LDFLAGS_asan   := -fsanitize=address,undefined
CFLAGS_fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
                  -fno-sanitize-recover=all
LDFLAGS_fuzz   := -fsanitize=address,undefined
CFLAGS_tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS_tsan   := -fsanitize=thread

ifeq ($(FLAVOUR),fuzz)
CC := clang
endif

# The release binary's malloc: many small pieces live until many others are made, which is what glibc's
# caches are too small for (docs/performance.md). The sanitizers bring their own.
MALLOC_release := -lmimalloc

# Recursive variables: pkg-config is asked when something is compiled, not for `make help`.
PKG_CFLAGS = $(shell pkg-config --cflags $(PACKAGES))
PKG_LIBS   = $(shell pkg-config --libs $(PACKAGES))
# The C sources of llhttp: the system's, or as dist/packages.sh unpacked them.
LLHTTP_ROOT := $(patsubst %/share/llhttp,%,$(firstword \
  $(wildcard /usr/share/llhttp build/packages/node-llhttp/usr/share/llhttp) missing-llhttp/share/llhttp))
LLHTTP      := $(LLHTTP_ROOT)/share/llhttp
LLHTTP_CFLAGS := -I$(LLHTTP_ROOT)/share/include/llhttp
CPPFLAGS  += -Icore -D_GNU_SOURCE -DHOOKLINE_VERSION='"$(VERSION)"'
# Where it was built stands nowhere in what was built.
PREFIX_MAP := -ffile-prefix-map=$(CURDIR)=.
ALL_CFLAGS = -std=c11 $(WARNINGS) $(CFLAGS_$(FLAVOUR)) $(PREFIX_MAP) $(CFLAGS) -MMD -MP

TOP_SOURCES := $(if $(filter cli,$(LAYERS)),$(wildcard core/*.c))
SOURCES := $(foreach l,$(LAYERS),$(sort $(shell find core/$(l) -name '*.c' 2>/dev/null))) \
           $(filter-out core/main.c,$(TOP_SOURCES))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LLHTTP_OBJECTS := $(if $(filter wire,$(LAYERS)),$(addprefix $(BUILD)/llhttp/,api.o http.o llhttp.o))
LUA_FILES := $(shell find lua -name '*.lua' 2>/dev/null)
CONSOLE_FILES := $(shell find core/console/js core/console/css -type f) core/console/index.html core/console/icon.svg
CONSOLE_LIBRARIES := $(addprefix build/console/lib/,preact.js hooks.js htm.js uplot.js uplot.css LICENSES.txt)
EMBEDDED := $(if $(filter script,$(LAYERS)),$(BUILD)/embedded_lua.o) \
            $(if $(filter api,$(LAYERS)),$(BUILD)/embedded_console.o $(BUILD)/embedded_openapi.o)

UNIT_LAYERS  ?= $(LAYERS)
UNIT_SOURCES := $(foreach l,$(UNIT_LAYERS) .,$(wildcard tests/unit/$(l)/test_*.c))
UNIT_TESTS   := $(sort $(UNIT_SOURCES:%.c=$(BUILD)/%))

PYTHON := /usr/bin/python3
C_FILES = $(shell git ls-files 'core/*.[ch]' 'tests/*.[ch]')

.PHONY: all
all: $(BUILD)/hookline ## build build/release/hookline

$(BUILD)/libhookline.a: $(OBJECTS) $(LLHTTP_OBJECTS) $(EMBEDDED)
	@rm -f $@
	@ar rcsD $@ $^

$(BUILD)/hookline: $(BUILD)/core/main.o $(BUILD)/libhookline.a
	@echo "  link  $@"
	@$(CC) $(LDFLAGS_$(FLAVOUR)) $(LDFLAGS) -o $@ $^ $(MALLOC_$(FLAVOUR)) $(PKG_LIBS) -lm

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  cc    $<"
	@$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(if $(filter core/wire/%,$<),$(LLHTTP_CFLAGS)) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	@$(CC) $(LLHTTP_CFLAGS) $(CFLAGS_$(FLAVOUR)) $(PREFIX_MAP) -w -c -o $@ $<

missing-llhttp/%:
	@echo "The sources of llhttp are not here. Run: dist/packages.sh build" >&2; exit 1

# Files as bytes in the binary: a table of struct embedded_file that ends with a NULL name. Their
# names are without the folders that they come from. $(call embed,SYMBOL,FILES)
define embed
	@mkdir -p $(@D)
	@{ echo '.section .rodata'; n=0; \
	   for f in $(sort $(2)); do \
	     name=$${f#lua/}; name=$${name#core/console/}; name=$${name#build/console/}; \
	     echo ".Lname$$n: .asciz \"$$name\""; echo ".Ltext$$n: .incbin \"$$f\""; echo ".Lend$$n: .byte 0"; \
	     echo ".Lhash$$n: .asciz \"$$(sha256sum <"$$f" | cut -c 1-16)\""; \
	     n=$$((n+1)); done; \
	   echo '.section .data.rel.ro,"aw"'; echo '.balign 8'; echo '.globl $(1)'; \
	   echo '$(1):'; i=0; \
	   while [ $$i -lt $$n ]; do echo ".quad .Lname$$i, .Ltext$$i, .Lend$$i - .Ltext$$i, .Lhash$$i"; i=$$((i+1)); done; \
	   echo '.quad 0, 0, 0, 0'; echo '.section .note.GNU-stack,"",%progbits'; } > $@
endef

$(BUILD)/embedded_lua.S: $(LUA_FILES) Makefile
	$(call embed,embedded_lua_files,$(LUA_FILES))

$(BUILD)/embedded_console.S: $(CONSOLE_FILES) $(CONSOLE_LIBRARIES) Makefile
	$(call embed,embedded_console_files,$(CONSOLE_FILES) $(CONSOLE_LIBRARIES))

$(BUILD)/embedded_openapi.S: core/api/openapi.json Makefile
	$(call embed,embedded_openapi_files,core/api/openapi.json)

$(BUILD)/embedded_%.o: $(BUILD)/embedded_%.S
	@$(CC) -c -o $@ $<

# What npm brings: the console's libraries, and axe for its tests. Nothing of a package is run.
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error
NODE_MODULES := build/console/node_modules

build/console/.fetched: core/console/package.json core/console/package-lock.json
	@mkdir -p $(@D)
	@cp $^ core/console/.npmrc $(@D)
	@command -v npm >/dev/null || { echo "There is no npm. Run: dist/packages.sh build" >&2; exit 1; }
	@cd $(@D) && $(NPM_CI) >/dev/null
	@touch $@

build/console-tests/.fetched: tests/console/package.json tests/console/package-lock.json
	@mkdir -p $(@D)
	@cp $^ tests/console/.npmrc $(@D)
	@cd $(@D) && $(NPM_CI) >/dev/null
	@touch $@

# A browser finds no bare names ("preact") where inline import maps are refused, and no source maps here.
# $(call library,FILE)
define library
	@mkdir -p $(@D)
	@sed -e 's|from *"preact"|from"./preact.js"|' -e '/^\/\/# sourceMappingURL=/d' $(NODE_MODULES)/$(1) > $@
endef

build/console/lib/preact.js: build/console/.fetched
	$(call library,preact/dist/preact.module.js)
build/console/lib/hooks.js: build/console/.fetched
	$(call library,preact/hooks/dist/hooks.module.js)
build/console/lib/htm.js: build/console/.fetched
	$(call library,htm/dist/htm.module.js)
build/console/lib/uplot.js: build/console/.fetched
	$(call library,uplot/dist/uPlot.esm.js)
build/console/lib/uplot.css: build/console/.fetched
	$(call library,uplot/dist/uPlot.min.css)
build/console/lib/LICENSES.txt: build/console/.fetched
	@mkdir -p $(@D)
	@for name in preact htm uplot; do echo "== $$name"; cat $(NODE_MODULES)/$$name/LICENSE; echo; done > $@

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libhookline.a
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -Itests/unit $(PKG_CFLAGS) $(ALL_CFLAGS) $(LDFLAGS_$(FLAVOUR)) -o $@ $< \
	  $(BUILD)/libhookline.a $(PKG_LIBS) -lcmocka -lm

.PHONY: unit unit-build
unit-build: $(UNIT_TESTS)

unit: $(UNIT_TESTS) ## build and run the C unit tests
	@set -e; for t in $(UNIT_TESTS); do echo "  test  $$t"; $$t; done

.PHONY: demo
demo: ## see a won deal become an invoice webhook, through a failure and a crash
	@dist/packages.sh build demo
	@$(MAKE) --no-print-directory all
	@$(PYTHON) dist/demo.py $(BUILD)/hookline

.PHONY: test
test: ## lint and every test, also under ASan and UBSan
	@dist/packages.sh build test
	@$(PYTHON) tests/run.py

.PHONY: lint
lint: $(OBJECTS) ## layers, file sizes, formatting, luacheck, no mutable globals
	@$(PYTHON) tests/lint/lint.py --build $(BUILD)

.PHONY: format
format: ## clang-format over all C files
	@clang-format -i $(C_FILES)

.PHONY: bench
bench: ## CPU and rate beside a bare libcurl loop, as ratios
	@dist/packages.sh build bench
	@$(MAKE) --no-print-directory all $(BUILD)/tests/bench/yardstick $(BUILD)/tests/bench/template_bench \
	  $(BUILD)/tests/unit/script/test_hostile
	@$(PYTHON) tests/bench/bench.py $(BUILD) $(ARGS)
	@$(PYTHON) tests/bench/live_bench.py $(BUILD)
	@$(PYTHON) tests/bench/index_bench.py $(BUILD)
	@$(PYTHON) tests/bench/reload.py $(BUILD)
	@$(PYTHON) tests/bench/scrape_bench.py $(BUILD)
	@$(BUILD)/tests/unit/script/test_hostile --times
	@$(PYTHON) tests/bench/templates.py $(BUILD)

$(BUILD)/tests/bench/template_bench: tests/bench/template_bench.c $(BUILD)/libhookline.a
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(ALL_CFLAGS) $(LDFLAGS_$(FLAVOUR)) -o $@ $< $(BUILD)/libhookline.a $(PKG_LIBS) -lm

.PHONY: bench-slot
bench-slot: ## how long events wait while a time trigger runs over 100,000 records
	@dist/packages.sh build bench
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/bench/slot_bench.py $(BUILD) $(ARGS)

.PHONY: bench-targets
bench-targets: ## how long a live target's webhooks take beside dead, hanging and 10,000 other targets
	@dist/packages.sh build bench
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/bench/targets_bench.py $(BUILD) $(ARGS)

.PHONY: bench-backlog
bench-backlog: ## a million webhooks that wait: memory, start; and events' waits while retention is at work
	@dist/packages.sh build bench
	@$(MAKE) --no-print-directory all
	@$(PYTHON) tests/bench/backlog_bench.py $(BUILD) $(ARGS)

$(BUILD)/tests/bench/yardstick: tests/bench/yardstick.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(ALL_CFLAGS) $(LDFLAGS_$(FLAVOUR)) -o $@ $< $(PKG_LIBS)

# A fuzz target with libFuzzer, which makes inputs, and with replay.c, which runs kept ones.
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/libhookline.a
	@$(CC) $(LDFLAGS_$(FLAVOUR)) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS) -lm

$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(BUILD)/libhookline.a
	@$(CC) $(LDFLAGS_$(FLAVOUR)) -o $@ $^ $(PKG_LIBS) -lm

.PHONY: replay-build
replay-build: $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/replay_%)

.PHONY: fuzz
fuzz: ## a minute of each fuzz target (SECONDS=, RUNS=, TARGETS="json url")
	@dist/packages.sh build fuzz
	@$(MAKE) --no-print-directory FLAVOUR=fuzz $(FUZZ_TARGETS:%=build/fuzz/tests/fuzz/fuzz_%)
	@$(PYTHON) tests/fuzz/fuzz.py --build build/fuzz $(if $(SECONDS),--seconds $(SECONDS)) \
	  $(if $(RUNS),--runs $(RUNS)) $(or $(TARGETS),$(FUZZ_TARGETS))

# The layers whose tests have more than one thread.
TSAN_LAYERS := base loop store engine

.PHONY: tsan
tsan: ## the unit tests and a flow test under ThreadSanitizer
	@dist/packages.sh build test
	@$(MAKE) --no-print-directory FLAVOUR=tsan UNIT_LAYERS="$(TSAN_LAYERS)" all unit
	@HOOKLINE=build/tsan/hookline $(PYTHON) -m pytest -q tests/flow/test_ingest.py

# Preloaded into the host: it lets writes, syncs and allocations fail, and knows what was synced.
$(BUILD)/tests/faults/shim.so: tests/faults/shim.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fPIC -fno-builtin -shared -o $@ $<

.PHONY: faults
faults: ## kills, power losses, failing disks, memory and networks under load (ROUNDS=, SEED=)
	@dist/packages.sh build test
	@$(MAKE) --no-print-directory all $(BUILD)/tests/faults/shim.so
	@ROUNDS=$(or $(ROUNDS),20) $(if $(SEED),SEED=$(SEED)) HOOKLINE=$(BUILD)/hookline \
	  $(PYTHON) -m pytest -q -s tests/faults

# The host over a simulated clock, network, disk and threads: these objects stand in for the archive's.
SIMULATE_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/simulate/*.c))
SIMULATE_WRAPS := pthread_create pthread_join pthread_mutex_lock pthread_mutex_unlock pthread_cond_signal \
                  pthread_cond_wait pthread_cond_timedwait clock_gettime getrandom

$(SIMULATE_OBJECTS): CPPFLAGS += -Itests/simulate

$(BUILD)/tests/simulate/simulate: $(SIMULATE_OBJECTS) $(BUILD)/libhookline.a
	@$(CC) $(LDFLAGS_$(FLAVOUR)) $(SIMULATE_WRAPS:%=-Wl,--wrap=%) -o $@ $^ $(PKG_LIBS) -lm

.PHONY: simulate
simulate: $(BUILD)/tests/simulate/simulate ## random histories with faults, simulated (SEEDS=, SEED=, DAY=1)
	@$(BUILD)/tests/simulate/simulate $(if $(DAY),--day) $(if $(SEED),--seed $(SEED)) --seeds $(or $(SEEDS),$(if $(DAY)$(SEED),1,200))

include dist/package.mk

.PHONY: clean
clean: ## remove what was built (not what dist/packages.sh unpacked)
	@find build -mindepth 1 -maxdepth 1 ! -name packages -exec rm -rf {} + 2>/dev/null || true

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(filter-out %.d,$(MAKEFILE_LIST)) | awk -F'\t' '{ printf "  make %-9s %s\n", $$1, $$2 }'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
