# Two commands set up a fresh machine (Python 3.11, Node 20, make): `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
NODE_STAMP := node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo up doctor test test-long test-flows check format coverage schema numbers lock replay-check bench mutants clean

help: ## what there is to do; ARGS="…" goes on to the command of any target
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) $(NODE_STAMP) ## install everything this project needs, into .venv and node_modules

$(STAMP): requirements-dev.txt requirements-worker.txt emulator/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) -r requirements-dev.txt
	$(PIP_INSTALL) --no-deps --ignore-requires-python -r requirements-worker.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation -e ./emulator
	$(BIN)/python -m compileall -q $(VENV)/lib || true
	@touch $@

$(NODE_STAMP): package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: setup ## one whole call through the real parts, with its timeline; it says what else there is: USE=crash
	$(BIN)/python -m devstack demo $(if $(USE),--use $(USE)) $(ARGS)

up: setup ## Azurite, emulator and Functions host, until Ctrl-C; restarts on change: ARGS="--verbose"
	$(BIN)/python -m devstack up $(ARGS)

doctor: setup ## what is wrong, why it matters, what fixes it; in Azure: ARGS=azure, ARGS=live
	$(BIN)/python -m tools.doctor $(ARGS)

TEST := $(BIN)/python -m pytest -n auto --dist loadgroup

test: setup ## every test but the long ones
	$(TEST) -m "not long" $(ARGS)

test-long: setup ## what takes longer than 20 s, and every property with all its examples: ARGS="--slice 1/3"
	EXAMPLES=all $(TEST) -m "long or hypothesis" $(ARGS)

test-flows: setup ## your flows, routing.yaml and scorecards, in some seconds
	$(BIN)/python -m pytest -q tests/flows $(ARGS)

check: setup ## format, lint, types, import rules, links in the docs, infra/; a part: ARGS=shared/web
	$(BIN)/ruff format --check $(or $(ARGS),.)
	$(BIN)/ruff check $(or $(ARGS),.)
	$(BIN)/mypy $(ARGS)
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/unit/test_architecture.py tests/unit/test_docs.py tests/unit/infra

format: setup ## write the code as the checks want it; a part: ARGS=shared/web
	$(BIN)/ruff format $(or $(ARGS),.)
	$(BIN)/ruff check --fix $(or $(ARGS),.)

coverage: setup ## write docs/coverage.md and the table of actions in docs/api.md
	$(BIN)/python -m tools.coverage $(ARGS)

schema: setup ## write docs/quality-report.schema.json
	$(BIN)/python -m tools.quality_schema $(ARGS)

numbers: setup ## write shared/brakes/number_table.py: numbers that are never called
	$(BIN)/python -m tools.number_table $(ARGS)

# One lock serves every platform and Python from 3.11 on. The versions that a lock holds are kept where they still do;
# ARGS=--upgrade takes the newest.
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --custom-compile-command "make lock" $(ARGS)
EVERYWHERE := --universal --python-version 3.11

lock: setup ## write requirements*.txt, with hashes, from requirements*.in: ARGS=--upgrade
	$(COMPILE) $(EVERYWHERE) requirements.in -o requirements.txt
	$(COMPILE) $(EVERYWHERE) -c requirements.txt requirements-dev.in -o requirements-dev.txt
	$(COMPILE) $(EVERYWHERE) -c requirements.txt -c requirements-dev.txt streams/requirements.in -o streams/requirements.txt
	$(COMPILE) --no-deps --python-version 3.13 requirements-worker.in -o requirements-worker.txt

replay-check: setup ## journals from production against the flows of today: FILES="calls/*.json"
	$(BIN)/python -m tools.replay_check $(FILES) $(ARGS)

bench: setup ## measure: JSON lines and a table
	$(BIN)/python -m bench $(ARGS)

mutants: setup ## break the guards, one change at a time, and say which change no test notices
	$(BIN)/python -m tools.mutants $(ARGS)

clean: ## remove what the commands above made
	rm -rf $(VENV) node_modules .switchboard .mypy_cache .pytest_cache .ruff_cache .hypothesis
