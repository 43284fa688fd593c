# make: what there is to make. Each target installs the Debian packages it lacks, saying so, and builds what it needs.
# There are two builds, debug (the tests') and release (everything else's), both under .build.

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR    ?=

build_packages := zlib1g-dev libisal-dev libsystemd-dev libpcre2-dev pkg-config
test_packages  := python3 openssl systemd systemd-journal-remote
demo_packages  := systemd-journal-remote
bench_packages := gcc make libdeflate-dev python3

swift_release := swift build -c release --static-swift-stdlib
sluice        := .build/release/sluice
demo          := .demo
node          := samples/node

# Colour on a terminal only, and not where NO_COLOR asks for none.
ifneq ($(MAKE_TERMOUT),)
ifeq ($(NO_COLOR),)
bold  := $(shell printf '\033[1m')
faint := $(shell printf '\033[2m')
plain := $(shell printf '\033[0m')
endif
endif
say = @printf '%s\n' '$(bold)==> $(1)$(plain)'
comma := ,

.PHONY: help demo test bench lint install build packages demo-packages test-packages bench-packages clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo      the agent over a small piece of a real node, its ledger, questions to it, what to try next'
	@echo 'make test      all tests'
	@echo 'make bench     throughput of each stage beside C, and of the whole agent over generated pod logs'
	@echo 'make lint      swift format, strictly'
	@echo 'make build     the release binary: $(sluice)'
	@echo 'make install   the binary to $(PREFIX)/bin, its man page and completions, a first configuration to $(SYSCONFDIR)/sluice (PREFIX, SYSCONFDIR, DESTDIR)'
	@echo 'make clean     removes what was built, and the demo'

# ---- Debian packages ---------------------------------------------------------------------------

# $(call need,PACKAGES): asks dpkg for each, and apt-get for those that are missing.
define need
	@missing=; \
	command -v dpkg-query > /dev/null || { echo 'Not a Debian: expecting the libraries behind these packages to be here: $(1)'; exit 0; }; \
	for package in $(1); do \
	    dpkg-query -W -f '$${db:Status-Status}' $$package 2> /dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	printf '%s\n' "$(bold)==> Installing Debian packages:$$missing$(plain)"; \
	if [ "$$(id -u)" = 0 ]; then root=; \
	elif command -v sudo > /dev/null; then root=sudo; \
	else echo "Neither root nor sudo: please have somebody run: apt-get install$$missing" >&2; exit 1; fi; \
	$$root apt-get update -qq && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing
endef

packages:
	$(call need,$(build_packages))
	@command -v swift > /dev/null || { echo 'Swift 6.2 or newer is needed: https://www.swift.org/install' >&2; exit 1; }

test-packages:
	$(call need,$(test_packages))

demo-packages:
	$(call need,$(demo_packages))

bench-packages:
	$(call need,$(bench_packages))

# ---- Building ----------------------------------------------------------------------------------

build: packages
	$(call say,Building $(sluice) for release (the first time takes some minutes))
	@$(swift_release) --product sluice

install: build
	$(call say,Installing to $(DESTDIR)$(PREFIX)/bin/sluice)
	@install -D -s -m 0755 $(sluice) '$(DESTDIR)$(PREFIX)/bin/sluice'
	@install -D -m 0644 docs/sluice-tail.1 '$(DESTDIR)$(PREFIX)/share/man/man1/sluice-tail.1'
	@$(sluice) --generate-completion-script bash | install -D -m 0644 /dev/stdin '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/sluice'
	@$(sluice) --generate-completion-script zsh | install -D -m 0644 /dev/stdin '$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_sluice'
	@$(sluice) --generate-completion-script fish | install -D -m 0644 /dev/stdin '$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/sluice.fish'
	@config='$(DESTDIR)$(SYSCONFDIR)/sluice/sluice.yaml'; \
	if [ -e "$$config" ]; then echo "$$config is kept as it is."; \
	else install -D -m 0644 samples/node.yaml "$$config" && echo "$$config is samples/node.yaml: look through it before the first start."; fi

clean:
	rm -rf .build .build-* $(demo) Benchmarks/shippers/bin Benchmarks/shippers/work

# ---- Checking ----------------------------------------------------------------------------------

test: packages test-packages
	$(call say,Building for debugging and testing (the first time takes some minutes))
	@# One after the other: many of them watch files, and a user has 128 inotify instances by default.
	@swift test --no-parallel

lint:
	$(call say,Checking format and style of the Swift sources)
	@swift format lint --strict --parallel --recursive Sources Tests Benchmarks Package.swift
	@echo 'Nothing to complain about.'

bench: packages bench-packages
	$(call say,Building the release binaries (the first time takes some minutes))
	@$(swift_release) --product stagebench
	@$(swift_release) --product sluice
	$(call say,Each stage beside the same work in C: MB of log for each second of CPU time)
	@.build/release/stagebench
	$(call say,The whole agent over generated pod logs: MB of log for each second of CPU time)
	@SLUICE='$(CURDIR)/$(sluice)' Benchmarks/shippers/bench.py catchup-null catchup-file catchup-http-gzip \
		--agents sluice --data json:10x20 --rounds 3

# ---- Two minutes with it -----------------------------------------------------------------------

# Commands for people to try: `sluice` is the binary that was built, found by the PATH below.
try = @printf '  %s\n' '$(1)'
about = @printf '%s\n' '$(faint)\# $(1)$(plain)'
asked := --data-dir $(demo)/data --root $(node)

demo: build demo-packages
	@rm -rf $(demo); mkdir -p $(demo)/journal
	@# A journal is a binary file; here it lies as text.
	@/lib/systemd/systemd-journal-remote --output=$(demo)/journal/system.journal $(node)/journal.export 2> /dev/null
	$(call say,sluice run --once: the logs and the journal of a small node)
	@SLUICE_NODE=$(node) SLUICE_DEMO=$(demo) $(sluice) run --once --config samples/demo.yaml
	$(call say,sluice ledger: what became of every line)
	@$(sluice) ledger --data-dir $(demo)/data
	$(call say,sluice tail: the end of it all$(comma) ordered by time)
	@$(sluice) tail -n 12 --no-pager $(asked)
	$(call say,sluice tail odoo: why does it not start?)
	@$(sluice) tail odoo -g 'Error:' -n 1 --prefix off --no-pager $(asked)
	$(call say,sluice tail badvolume: it has no log. The kubelet knows why)
	@$(sluice) tail badvolume -n 2 --prefix off --no-pager $(asked)
	$(call say,What to try next)
	$(call try,PATH=$$PWD/$(patsubst %/,%,$(dir $(sluice))):$$PATH)
	$(call about,Which pods there are and were; the whole stream$(comma) page by page.)
	$(call try,sluice pods $(asked))
	$(call try,sluice tail $(asked))
	$(call about,The store is gzip files of JSON lines: no tool of ours is needed.)
	$(call try,zcat $(demo)/data/store/0/*.ndjson.gz | head -n 3)
	$(call about,Each chunk carries the positions of its files; every byte can be checked.)
	$(call try,sluice chunks ls --data-dir $(demo)/data)
	$(call try,sluice chunks verify --data-dir $(demo)/data)
	$(call about,The file of errors only. (needs jq))
	$(call try,jq -r .message $(demo)/errors.ndjson | cut -c 1-70 | sort | uniq -c)
	$(call about,Again: every line is in the store once$(comma) so nothing is left to do.)
	$(call try,sluice run --once --config samples/demo.yaml)
	$(call about,kill -9 thirty times: every line is there exactly once. (needs python3))
	$(call try,Tests/campaigns/kill9.py --sluice $(sluice) \)
	$(call try,    --pods $(node)/var/log/pods --kills 30)
	$(call about,On a Kubernetes node: its own logs$(comma) without touching anything.)
	$(call try,sudo env NODE_NAME=$$(hostname) SLUICE_NODE=/ SLUICE_DEMO=.demo-node \)
	$(call try,    SLUICE_JOURNAL=/var/log/journal $(sluice) \)
	$(call try,    run --once --config samples/demo.yaml)
