# Every command of the project. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_VENV := .cache/docs
DOCS_READY := $(DOCS_VENV)/.ready
SOURCES := operator helpers tests benchmarks demo docs
PRESENT = $(wildcard $(SOURCES))
SCRIPTS := .ci/run operator/alembic_operator/core/job/shadow.sh

.PHONY: help
help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@echo "making $(VENV) from constraints.txt"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "installing python3-venv"; apt-get update -qq && apt-get install -yqq python3-venv; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: venv
venv: $(READY)  ## make the virtual environment from the locked constraints

##@ checks

.PHONY: check
check: venv  ## lint, format, types, shell scripts, import contracts, generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PRESENT)
	@$(BIN)/shellcheck $(SCRIPTS)
	@$(BIN)/lint-imports --no-cache | tail -n 4
	@$(MAKE) --no-print-directory generated

.PHONY: generated
generated: venv
	@$(BIN)/python -m docs.generate --check

.PHONY: generate
generate: venv  ## renew the generated files: API reference, chart's table and CRDs, deploy/install.yaml, requirements
	@$(BIN)/python -m docs.generate

.PHONY: fmt
fmt: venv  ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

COMPILE := $(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-header \
  --python-version 3.11 --quiet --upgrade

.PHONY: lock
lock: venv  ## renew constraints.txt and docs/requirements.txt from the bounds in pyproject.toml
	@$(COMPILE) pyproject.toml --all-extras --group dev -o constraints.txt
	@$(COMPILE) --group docs -o docs/requirements.txt
	@$(MAKE) --no-print-directory generate

##@ the documentation

# Not --quiet: it hides the warnings that --strict counts. NO_MKDOCS_2_WARNING silences Material's notice about the other program that MkDocs 2 is: the bounds keep it out.
.PHONY: docs
docs: $(DOCS_READY)  ## build the documentation's site into build/docs; a dead link, anchor or a page outside of the menu fails it
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs build --strict
	@echo "build/docs/index.html: $$(find build/docs -name '*.html' | wc -l) pages"

.PHONY: docs-serve
docs-serve: $(DOCS_READY)  ## show the documentation at http://127.0.0.1:8000, built anew at each change
	@NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/mkdocs serve

$(DOCS_READY): docs/requirements.txt
	@$(PYTHON) -m venv $(DOCS_VENV)
	@$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.txt
	@touch $@

##@ tests

# Lanes of tests side by side, in random order (tests/lanes.py). `make unit` collects once, for forks (tests/forks.py),
# and tries a tenth of the random examples. Without compiled files the collection alone takes 3 seconds more.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q

.PHONY: unit
unit: venv  ## the pure tests, in seconds
	@$(PYTEST) -p tests.forks --forks 2 tests/unit

.PHONY: component
component: prepared  ## the control loop on an in-memory cluster, the runner on real PostgreSQL
	@TEST_EFFORT=all $(PYTEST) -n 2 tests/component

.PHONY: prepared
prepared: venv
	@$(BIN)/python -m tests.cluster prepare

.PHONY: e2e
e2e: prepared  ## everything on a real Kubernetes
	@TEST_EFFORT=all $(PYTEST) -n 4 tests/e2e tests/cluster

.PHONY: storm
storm: prepared  ## random faults over nine databases for MINUTES=10, by a SEED=…; the oracle says what does not hold
	@$(BIN)/python -m tests.storm $(if $(SEED),--seed $(SEED)) --minutes $(or $(MINUTES),10)

.PHONY: test
test: prepared  ## every test
	@TEST_EFFORT=all $(PYTEST) -n 4

.PHONY: test-times
test-times: venv  ## where the last test run spent its time: by level, the slowest tests, files and fixtures
	@$(BIN)/python -m tests.times

.PHONY: mutants
mutants: venv  ## break the product on purpose, and see that the tests notice (WORDS=… picks faults)
	@$(BIN)/python -m tests.mutants $(WORDS)

##@ the cluster

.PHONY: cluster
cluster: venv  ## start a real Kubernetes on this machine (NAME=… for another one)
	@$(BIN)/python -m tests.cluster up --name $(or $(NAME),default)

.PHONY: demo
demo: venv  ## the main job, for all to see; stays up until demo-down
	@$(BIN)/python -m demo up

.PHONY: demo-down
demo-down: venv  ## remove the demo and every trace of it
	@$(BIN)/python -m demo down

.PHONY: bench
bench: venv  ## measure, and write docs/benchmarks.md (ten minutes)
	@$(BIN)/python -m benchmarks

.PHONY: real-projects
real-projects: venv  ## migrate applications from PyPI beside plain Alembic, and write docs/real-projects.md (NAME=… for one)
	@$(BIN)/python -m tests.real_projects $(NAME)

.PHONY: cluster-down
cluster-down: venv  ## stop it and remove every trace
	@$(BIN)/python -m tests.cluster down --name $(or $(NAME),default)
