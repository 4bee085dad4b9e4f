# Every target sets up by itself what it needs, and ends with a line that says what it counted.
# `make help` lists them.

PY := .venv/bin/python
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test long lint bench mutation lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | \
	    awk -F '\t' '{ printf "make %-8s %s\n", $$1, $$2 } END { print "help: " NR " targets" }'

demo: ## the app, a stand-in for GitHub and SQLite: a conversation is played, then a page to try it by hand
	@scripts/setup_python requirements-sandbox.lock
	@$(PY) -m app demo

test: ## all tests, on SQLite and PostgreSQL; ARGS="tests/market -k price" runs some
	@scripts/setup_python requirements-dev.lock
	@scripts/setup_node
	@$(PY) scripts/with_postgres.py $(PY) -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

long: ## 10⁶ random commands on the market core with its invariants; COMMANDS=20000 SEED=7 tries others
	@scripts/setup_python requirements-dev.lock
	@WORKERS=$(WORKERS) $(PY) -m tests.long $(or $(COMMANDS),1000000) $(SEED)

lint: ## ruff, mypy and the direction of imports
	@scripts/setup_python requirements-dev.lock
	@$(PY) scripts/lint.py

bench: ## measure speed beside a reference; ONLY=name runs one benchmark
	@scripts/setup_python requirements-dev.lock
	@scripts/setup_python requirements-bench.lock
	@$(PY) scripts/with_postgres.py --durable $(PY) -m bench $(ONLY)

mutation: ## change the market core in thousands of ways, each of which a test must notice; ONLY=moves tries one module
	@scripts/setup_python requirements-dev.lock
	@WORKERS=$(WORKERS) $(PY) scripts/mutation.py $(ONLY)

lock: ## write the requirements*.lock files from pyproject.toml; UPGRADE=1 takes the newest versions
	@scripts/lock

clean: ## remove what the other targets made
	@scripts/clean
