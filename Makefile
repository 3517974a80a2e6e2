# What the README promises. Each target can be run on its own; `make run` is the one to begin with.
.PHONY: run build site test bench faults e2e lint fmt

CARGO ?= cargo
TARGET_DIR = $${CARGO_TARGET_DIR:-target}

# The demo on http://127.0.0.1:3000: simulated devices, an embedded broker, a week of history.
run: site
	@echo "server: code (cargo) …" >&2
	@$(CARGO) build --package server --bin signalbox
	@echo "server: starting the demo" >&2
	@exec $(TARGET_DIR)/debug/signalbox demo

# The program to install: one file, the site is inside.
build: site
	$(CARGO) build --release --package server --bin signalbox
	@ls -l $(TARGET_DIR)/release/signalbox

site:
	@echo "site: build tool (cargo) …" >&2
	@$(CARGO) run --quiet --package xtask -- site

# Everything that a change has to pass.
test:
	@sh .ci/test.sh

# Numbers, as ratios against a floor measured in the same run.
bench: site
	$(CARGO) build --release --package server --package bench --bin signalbox --bin bench
	$(TARGET_DIR)/release/bench
	$(TARGET_DIR)/release/bench store
	$(TARGET_DIR)/release/bench viewers

# What it has to survive: kills, cuts, full disks, hostile devices. A quarter of an hour; `make faults RUNS="story line"` for some of them.
faults:
	$(CARGO) build --package server --package bench --bin signalbox --bin bench
	$(TARGET_DIR)/debug/bench faults $(RUNS)

# The pages in Chromium, with and without JavaScript.
e2e:
	@sh .ci/test.sh packages e2e

lint:
	@sh .ci/test.sh fmt clippy

fmt:
	$(CARGO) fmt --all
