# Weir. `make` builds, tests and lints; `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
.NOTPARALLEL:

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
# Without grpcnotrace a linked gRPC pulls in html/template, which keeps every
# exported method of every type in the binary (+16 MB).
TAGS     := grpcnotrace
LDFLAGS  := -X main.version=$(VERSION)
BUILD    := -trimpath -tags $(TAGS)
# Time for each fuzz target.
FUZZTIME ?= 10s
# Time of the traffic in make soak.
SOAK     ?= 30m
# The stripped linux/amd64 binary may have this many bytes.
MAXSIZE  := 58000000
PLATFORMS := linux/amd64 linux/arm64 darwin/arm64 windows/amd64

# Recorded traffic of real services, which the codecs' tests replay.
export WEIR_RECORDINGS ?= $(abspath ../shared/recordings)

TOOLS         := .cache/tools
GOLANGCI_LINT := $(TOOLS)/golangci-lint-v2.15.0
GOVULNCHECK   := $(TOOLS)/govulncheck-v1.9.0
TESTSUM       := $(TOOLS)/testsum

# The race detector needs a C compiler.
ifneq ($(shell command -v "$$(go env CC)" 2>/dev/null),)
RACE := CGO_ENABLED=1 go test -race
else
RACE := echo "RACE DETECTOR OFF: no C compiler found, the tests run without -race" >&2; CGO_ENABLED=0 go test
endif

.PHONY: all
all: build test lint

.PHONY: help
help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-12s %s\n", $$1, $$2 }'

.PHONY: build
build: ## build bin/weir, statically linked
	CGO_ENABLED=0 go build $(BUILD) -ldflags '$(LDFLAGS)' -o bin/weir ./cmd/weir

.PHONY: install
install: ## install weir where `go install` puts programs
	CGO_ENABLED=0 go install $(BUILD) -ldflags '$(LDFLAGS)' ./cmd/weir

.PHONY: cross
cross: $(PLATFORMS:%=cross/%) ## build dist/weir-<os>-<arch> for every platform, stripped

.PHONY: $(PLATFORMS:%=cross/%)
$(PLATFORMS:%=cross/%): cross/%:
	CGO_ENABLED=0 GOOS=$(*D) GOARCH=$(*F) go build $(BUILD) -ldflags '-s -w $(LDFLAGS)' \
		-o dist/weir-$(*D)-$(*F)$(if $(filter windows,$(*D)),.exe) ./cmd/weir

.PHONY: size
size: cross/linux/amd64 ## fail when the stripped linux/amd64 binary is too large
	@size=$$(wc -c < dist/weir-linux-amd64); echo "dist/weir-linux-amd64: $$size bytes of $(MAXSIZE)"; \
	if (( size > $(MAXSIZE) )); then \
		echo "TOO LARGE. Did an import switch off the linker's dead-code elimination? See depguard in .golangci.yml."; exit 1; \
	fi

.PHONY: test
test: FUZZTIME := 1s
test: race static sdk fuzz ## run every test: race detector, build without cgo, SDK clients, a short fuzz

.PHONY: race
race: $(TESTSUM) ## run the unit tests under the race detector
	$(RACE) -json -timeout 10m ./... | $(TESTSUM)

.PHONY: short
short: $(TESTSUM) ## run the quick unit tests only, without the race detector
	go test -short -json ./... | $(TESTSUM)

.PHONY: static
static: ## build and vet everything without cgo, tests included
	CGO_ENABLED=0 go build $(BUILD) ./...
	CGO_ENABLED=0 go vet -tags $(TAGS) ./...

.PHONY: sdk
sdk: $(TESTSUM) ## run real client libraries against the server
	TESTSUM=$(abspath $(TESTSUM)) bash test/sdk/run.sh

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (10s; 1s in make test)
	FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

.PHONY: bench
bench: ## run the benchmarks
	bash bench/run.sh

.PHONY: soak
soak: ## run the gateway among faults for SOAK (30m) and tell what is left over
	SOAK=$(SOAK) scripts/soak.sh

.PHONY: lint
lint: $(GOLANGCI_LINT) ## run the linters; the first run builds them
	$(GOLANGCI_LINT) run ./...
	$(if $(wildcard test/sdk/go.mod),cd test/sdk && $(abspath $(GOLANGCI_LINT)) run --disable gomoddirectives ./...)

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## format the code
	$(GOLANGCI_LINT) fmt

.PHONY: vet
vet: ## run go vet
	go vet -tags $(TAGS) ./...

.PHONY: vuln
vuln: $(GOVULNCHECK) ## look for known vulnerabilities in what the code calls
	@if out=$$($(GOVULNCHECK) -tags $(TAGS) ./... 2>&1); then echo "$$out"; else \
		echo "$$out"; \
		if grep -q 'fetching vulnerabilities' <<< "$$out" && [[ "$${CI:-}" != true ]]; then \
			echo "NO SCAN WAS MADE: the vulnerability database cannot be reached from here."; \
		else exit 1; fi; \
	fi

.PHONY: tidy-check
tidy-check: ## fail when a go.mod or go.sum is not tidy
	go mod tidy -diff
	$(if $(wildcard test/sdk/go.mod),go -C test/sdk mod tidy -diff)

.PHONY: clean
clean: ## remove what was built, the tools included
	rm -rf bin dist .cache

# Each tool has a module file of its own, so that none decides the version of a
# library that another, or Weir, uses.
$(GOLANGCI_LINT):
	@echo "building golangci-lint; once, some minutes"
	CGO_ENABLED=0 go build -modfile=tools/golangci-lint.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(GOVULNCHECK):
	CGO_ENABLED=0 go build -modfile=tools/govulncheck.mod -o $@ golang.org/x/vuln/cmd/govulncheck

$(TESTSUM): $(wildcard scripts/testsum/*.go)
	CGO_ENABLED=0 go build -o $@ ./scripts/testsum
