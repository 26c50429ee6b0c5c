# The verbs. Each does the set-up that it needs; meson.build says how things are built.

JOBS ?= 2
FUZZ_SECONDS ?= 60
PREFIX ?= /usr/local
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := build
.PHONY: help setup build demo test test-unit test-integration test-quality test-e2e check ci bench \
	fuzz format docs install clean build-asan setup-build setup-test setup-check

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST) | awk -F': ' '{ printf "%-18s%s\n", $$1, $$2 }'

setup: ## install what is missing (apt, npm, pip); the other verbs call it
	@tools/setup

setup-build setup-test setup-check: setup-%:
	@tools/setup $(if $(filter-out build,$*),build) $*

build: setup-build ## release build in build/
	@tools/build build -Doptimization=3
build-asan: setup-test
	@tools/build build-asan -Db_sanitize=address,undefined -Dfailpoints=true

demo: build ## a private PostgreSQL (or SOURCE=mysql), a workload, Delta and Iceberg tables, compared
	@build/leat demo $(if $(SOURCE),--source $(SOURCE)) $(DEMO)

test: build-asan ## all tests, with their counts
	@tools/run-tests
test-unit test-integration test-quality test-e2e: test-%: build-asan ## tests of one category
	@tools/run-tests $*

check: setup-check build-asan ## formatting, analysers, layers, sizes, types, drift of the docs
	@tools/check
ci: check test ## what a push must pass

bench: build setup-test ## rates and memory beside the server's own tools
	@bench/run build/leat $(BENCH)
fuzz: setup-check ## each fuzz target for FUZZ_SECONDS
	@CC=clang-14 tools/build build-fuzz -Dfuzz=true -Db_lundef=false -Db_sanitize=address,undefined
	@tools/fuzz build-fuzz $(FUZZ_SECONDS)

format: setup-check ## rewrite C and Python in the house's form
	@tools/check format!
docs: build ## write the generated pages
	@mkdir -p docs/reference && build/leat config docs >docs/reference/configuration.md
	@build/leat config docs metrics >docs/reference/metrics.md

install: ## install what `make build` built below PREFIX
	@meson install -C build --no-rebuild
clean: ## remove all builds (not .deps and .venv)
	@rm -rf build build-asan build-fuzz
