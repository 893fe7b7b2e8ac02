# `make demo` and `make test` each set up what they need, from an empty clone and an empty HOME.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help setup demo dev test soak lint conformance lock schemas clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
	@# Where a proxy has certificates of its own, only the system's store knows them.
	@$(UV) pip sync --quiet --require-hashes requirements.lock || \
		UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 $(UV) pip sync --quiet --require-hashes requirements.lock
	@$(UV) pip install --quiet --no-deps --editable . || \
		UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 $(UV) pip install --quiet --no-deps --editable .
	@touch $@

.env: $(STAMP)
	@$(BIN)/omniva init --home .omniva

setup: $(STAMP) .env ## Install everything into .venv from the lock file

demo: setup ## From a sample channel to published clips
	$(BIN)/omniva demo

dev: setup ## The Dagster UI and daemon on loopback
	$(BIN)/omniva dev

test: setup ## All tests, as many at a time as there are cores
	$(BIN)/python -m pytest -n auto

soak: setup ## Long tests: 200,000 documents at random, kills at random and at every moment
	OMNIVA_TEST_FUZZ=200000 $(BIN)/python -m pytest tests/contracts/test_fuzz.py --timeout 1800
	OMNIVA_TEST_EXAMPLES=2000 $(BIN)/python -m pytest tests/contracts/test_strictness.py --timeout 1800
	OMNIVA_TEST_KILLS=40 $(BIN)/python -m pytest tests/e2e/test_killed_runs.py --timeout 3600
	OMNIVA_TEST_DAEMON_KILLS=10 $(BIN)/python -m pytest tests/scenarios/test_daemons.py --timeout 3600
	OMNIVA_TEST_LEDGER_KILLS=200 $(BIN)/python -m pytest tests/stardust/test_faults.py --timeout 3600

lint: setup ## ruff, mypy --strict, import rules
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

conformance: setup ## Which requirement of docs/spec works
	$(BIN)/python -m tests.conformance

schemas: setup ## Generate schemas/ from the contracts
	$(BIN)/omniva schemas export

lock: ## Resolve requirements.lock anew (no registry is named in it)
	$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --universal --no-emit-index-url \
		--generate-hashes --all-extras pyproject.toml -o requirements.lock

clean: ## Remove the virtual environment
	rm -rf $(VENV)
