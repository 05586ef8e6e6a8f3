# Two commands set up a fresh machine (Python 3.11, Node 20, make): `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NODE_STAMP := node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo up test check format coverage schema replay-check bench mutants clean

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) $(NODE_STAMP) ## install everything this project needs, into .venv and node_modules

$(STAMP): requirements.txt requirements-dev.txt constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	# Microsoft's own worker, the oracle of the host's conformance test; its metadata asks for Python 3.13 and
	# for another azure-functions, and it runs on ours.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python \
		azure-functions-runtime==1.3.0
	$(BIN)/python -m compileall -q $(VENV)/lib || true
	@touch $@

$(NODE_STAMP): package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: setup ## one whole call through the real parts, with its timeline
	$(BIN)/python -m devstack demo

up: setup ## Azurite, emulator and Functions host, until Ctrl-C; restarts on change
	$(BIN)/python -m devstack up

test: setup ## every test
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

check: setup ## format, lint, types, import rules, links in the docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/unit/test_architecture.py tests/unit/test_docs.py

format: setup ## write the code as the checks want it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: setup ## write docs/coverage.md: what covers each operation and each event
	$(BIN)/python -m tools.coverage

schema: setup ## write docs/quality-report.schema.json
	$(BIN)/python -m tools.quality_schema

replay-check: setup ## journals from production against the flows of today: FILES="calls/*.json"
	$(BIN)/python -m tools.replay_check $(FILES)

bench: setup ## measure: JSON lines and a table
	$(BIN)/python -m bench $(ARGS)

mutants: setup ## break the guards, one change at a time, and say which change no test notices
	$(BIN)/python -m tools.mutants $(ARGS)

clean: ## remove what the commands above made
	rm -rf $(VENV) node_modules .switchboard .mypy_cache .pytest_cache .ruff_cache .hypothesis
