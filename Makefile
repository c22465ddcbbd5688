# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

STACK_DIR ?= .stack
STACK_USERS ?= 500
STACK_PORT_BASE ?=
# 1: the LDAP connector as it is published, which loses its connections in long runs.
STACK_UNCURED ?=
# People in the directory of make test's own stack.
TEST_USERS ?= 120
TARGETS ?=
# For mutants: which sample, and how many faults.
SEED ?= 1
SIZE ?= 60
# How often make bench measures each play.
ROUNDS ?= 3
BUILD ?= build
# Whatever the Python of .venv is made of; empty: the first one that fits.
PYTHON ?=

export BUILD PYTHON
export LC_ALL := C.UTF-8
export PYTHONUNBUFFERED := 1

READY := .venv/ready
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help venv stack stack-down stack-status topology topology-down topology-status demo test test-long units integration sanity lint types gates mutants build release-check docs screenshots bench prove \
        changelog clean distclean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo
	@echo "  STACK_DIR=$(STACK_DIR) STACK_USERS=$(STACK_USERS) STACK_PORT_BASE=first-of-six-ports   for stack"
	@echo "  the same, STACK_PORT_BASE=first-of-20-ports, for topology"
	@echo "  TARGETS='name ...'   for integration        EXPERIMENT='name ...'   for prove        PYTHON=/path/to/python3   for venv"

$(READY): tools/set-up.sh requirements.txt tests/requirements.txt tests/unit/requirements.txt tests/servers/ping/requirements.txt
	@bash tools/set-up.sh
	@touch $@

venv: $(READY) ## .venv with all that the other targets need, and as root on Debian the OS packages too

demo: $(READY) ## the whole mission on real servers, before your eyes, in a minute or two
	@$(PY) -m tests.experiments.demo

test: $(READY) ## unit tests on each ansible-core that can be had, and the integration targets on real servers
	@bash tools/set-up.sh topology
	@$(PY) -m tools.test --users $(TEST_USERS)

test-long: $(READY) ## what is too long for make test: every target in both ways, the experiments at full length
	@bash tools/set-up.sh topology
	@$(PY) -m tools.test --users $(TEST_USERS) --long

stack: $(READY) ## start a real OpenIDM and OpenDJ on loopback; variables in STACK_DIR/vars.yml
	@$(PY) -m tests.servers.stack up --dir "$(STACK_DIR)" --users $(STACK_USERS) $(if $(STACK_PORT_BASE),--port-base $(STACK_PORT_BASE)) $(if $(STACK_UNCURED),--uncured)

stack-status: $(READY) ## say what of the stack runs
	@$(PY) -m tests.servers.stack status --dir "$(STACK_DIR)"

stack-down: $(READY) ## stop them and remove their data
	@$(PY) -m tests.servers.stack down --dir "$(STACK_DIR)"

topology: $(READY) ## two OpenIDM on PostgreSQL behind HAProxy, two OpenDJ that replicate; STACK_DIR/vars.yml
	@bash tools/set-up.sh topology
	@$(PY) -m tests.servers.topology up --dir "$(STACK_DIR)" --users $(STACK_USERS) $(if $(STACK_PORT_BASE),--port-base $(STACK_PORT_BASE)) $(if $(STACK_UNCURED),--uncured)

topology-status: $(READY) ## say what of the topology runs
	@$(PY) -m tests.servers.topology status --dir "$(STACK_DIR)"

topology-down: $(READY) ## stop all parts and remove their data
	@$(PY) -m tests.servers.topology down --dir "$(STACK_DIR)"

units: $(READY) ## unit tests; no network
	@$(PY) -m pytest -q -n 2 tests/unit

integration: $(READY) ## the integration targets (or TARGETS) on the stack of STACK_DIR, which must be up
	@$(PY) -m tools.integration --stack "$(STACK_DIR)" $(TARGETS)

sanity: $(READY) ## all of ansible-test sanity, on a copy of the tracked files
	@$(PY) -m tools.ansible_test

lint: $(READY) ## ansible-lint (production), yamllint, ruff, mypy
	@$(PY) -m tools.lint

gates: $(READY) ## all that needs no server: linters, sanity and units on each ansible-core, licences, galaxy-importer
	@$(PY) -m tools.gates $(GATES)

mutants: $(READY) ## whether the unit tests see small faults: a sample (SEED, SIZE) in module_utils
	@$(PY) -m tools.mutants --seed $(SEED) --size $(SIZE)

build: $(READY) ## the collection archive, looked through and installed on trial
	@$(PY) -m tools.archive

release-check: $(READY) ## all of a release but publishing it: changelog, tag, an archive that comes out equal twice
	@$(PY) -m tools.release

docs: $(READY) ## check the documentation and make its site in build/site
	@$(PY) -m tools.docs

screenshots: docs ## the site in a browser, at two widths: what scrolls sideways or fails, pictures in build/screenshots
	@bash tools/set-up.sh screenshots
	@$(PY) -m tools.screenshots

changelog: $(READY) ## CHANGELOG.md from changelogs/changelog.yaml, after a release: antsibull-changelog release
	@PATH="$(CURDIR)/.venv/bin:$$PATH" antsibull-changelog generate

bench: $(READY) ## what a task costs: ours against a loop of uri, side by side; ROUNDS=9 for figures that are written down
	@$(PY) -m tests.experiments.bench --rounds $(ROUNDS)

prove: $(READY) ## the long experiments
	@bash tools/set-up.sh topology
	@$(PY) -m tools.prove

clean: ## what the targets made, but not .venv; a running stack is left alone
	@rm -rf $(BUILD) .pytest_cache .mypy_cache .ruff_cache .ansible tests/output
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## .venv too
	@rm -rf .venv
