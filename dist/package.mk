# What is made of the binary for those who install it: man pages, completions, `make install`, the .deb.

SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd/system
ZSHDIR     ?= site-functions

# When the sources were last changed: the date in what is made of them, so that the same sources make the
# same bytes whenever that is done.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),$(shell stat -c %Y CHANGELOG.md))

PAGES := $(addprefix $(BUILD)/man/,hookline.1 hookline.conf.lua.5)
COMPLETIONS := $(addprefix $(BUILD)/completions/hookline.,bash zsh fish)

$(PAGES) &: $(BUILD)/hookline dist/man/make.sh $(wildcard dist/man/*.in docs/*.md)
	@dist/man/make.sh $(BUILD)/hookline $(BUILD)/man "$$(LC_ALL=C date -u -d @$(SOURCE_DATE_EPOCH) '+%B %-d, %Y')"

$(BUILD)/completions/hookline.%: $(BUILD)/hookline
	@mkdir -p $(@D)
	@$(BUILD)/hookline completion $* > $@

INSTALL = BUILD=$(BUILD) DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR) UNITDIR=$(UNITDIR) \
          ZSHDIR=$(ZSHDIR) dist/install.sh

.PHONY: install uninstall
install: $(BUILD)/hookline $(PAGES) $(COMPLETIONS) ## into PREFIX (/usr/local), under DESTDIR
	@$(INSTALL) install

uninstall: ## what install put there, but for a configuration that was changed
	@mkdir -p $(BUILD)
	@$(INSTALL) uninstall

MAINTAINER ?= hookline maintainers <maintainers@hookline.example>

.PHONY: deb
deb: all $(PAGES) $(COMPLETIONS) ## the package for Debian, build/hookline_VERSION_ARCHITECTURE.deb
	@SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) dist/deb/build.sh $(VERSION) '$(MAINTAINER)'

.PHONY: reproducible
reproducible: ## build what is committed twice, elsewhere and otherwise, and compare the bytes
	@env -u MAKEFLAGS -u MAKELEVEL dist/reproducible.sh
