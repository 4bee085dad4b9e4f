# Every target sets up by itself what it needs, and ends with a line that says what it counted.
# `make help` lists them.

PY := .venv/bin/python
# A third of a test's time is waiting, for a database or a timer: one more than there are cores on a small machine.
TESTERS := $(or $(WORKERS),3)
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test quick long chaos lint shape bench informed faults compile screenshots mutation contracts lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | \
	    awk -F '\t' '{ printf "make %-11s %s\n", $$1, $$2 } END { print "help: " NR " targets" }'

demo: ## the app, a stand-in for GitHub and SQLite: a conversation is played, then a page to try it by hand
	@scripts/setup_python requirements-sandbox.lock
	@$(PY) -m app demo

test: ## all tests, on SQLite and PostgreSQL; ARGS="tests/market -k price" runs some
	@scripts/setup_python requirements-dev.lock
	@scripts/setup_node
	@$(PY) scripts/with_postgres.py $(PY) -m pytest -n $(TESTERS) $(ARGS)

quick: ## the tests of what is pure, in a minute: the market and its language; they need no Node and no PostgreSQL
	@scripts/setup_python requirements-dev.lock
	@$(PY) -m pytest -n $(WORKERS) tests/market tests/language tests/replies $(ARGS)

long: ## 10⁶ random commands on the market core, its state machine, 10⁵ attackers' stories that end void; COMMANDS=20000 STORIES=1000 SEED=7
	@scripts/setup_python requirements-dev.lock
	@HYPOTHESIS_PROFILE=whole $(PY) -m pytest -q -n 0 tests/market/test_machine.py
	@WORKERS=$(WORKERS) $(PY) -m tests.long $(or $(COMMANDS),1000000) $(SEED)
	@WORKERS=$(WORKERS) $(PY) -m tests.market.attackers $(or $(STORIES),100000) $(SEED)

chaos: ## a scripted day while programs are killed and deliveries lost; SEED=2 COMMANDS=500 KILLS=20 DATABASE=postgres
	@scripts/setup_python requirements-dev.lock
	@SEED=$(SEED) COMMANDS=$(COMMANDS) KILLS=$(KILLS) DATABASE=$(DATABASE) \
	    $(if $(filter postgres,$(DATABASE)),$(PY) scripts/with_postgres.py) $(PY) -m tests.chaos

lint: ## ruff, mypy, the direction of imports and how docstrings open
	@scripts/setup_python requirements-dev.lock
	@$(PY) scripts/lint.py

shape: ## the tree's shape beside its goals: imports, folders, sentences, and what a comment takes
	@scripts/setup_python requirements-dev.lock
	@$(PY) -m scripts.shape

bench: ## measure speed beside a reference; ONLY=name runs one benchmark
	@scripts/setup_python requirements-dev.lock
	@scripts/setup_python requirements-bench.lock
	@$(PY) scripts/with_postgres.py --durable $(PY) -m bench $(ONLY)

informed: ## the market maker among informed traders: policies beside each other; ISSUES=150 SEED=1
	@scripts/setup_python requirements-dev.lock
	@$(PY) -m bench.informed $(or $(ISSUES),150) $(SEED)

screenshots: ## the pictures of docs/replies.md, from a conversation that is played for them; needs Chromium and an emoji font
	@scripts/setup_python requirements-sandbox.lock
	@$(PY) -m scripts.screenshots

compile: ## compile the hot modules of the market, if there is a C compiler, and run the market's tests on them
	@scripts/setup_python requirements-dev.lock
	@WORKERS=$(WORKERS) $(PY) -m scripts.compile_core

faults: ## every endpoint × every way in which GitHub fails; upstream's payloads mutated, PAYLOADS=50000 or all
	@scripts/setup_python requirements-dev.lock
	@scripts/setup_node
	@FAULTS=all PAYLOADS=$(or $(PAYLOADS),50000) $(PY) -m pytest -n $(WORKERS) -k "not postgres" \
	    tests/stories/test_fault_matrix.py tests/stories/test_upstream_payloads.py tests/github/test_fault_matrix.py

mutation: ## change the market core in thousands of ways, each of which a test must notice; ONLY=moves tries one module
	@scripts/setup_python requirements-dev.lock
	@WORKERS=$(WORKERS) $(PY) scripts/mutation.py $(ONLY)

contracts: ## compile and try the escrow's contracts, whole; RUNS=8 makes it short, MUTATE=1 changes them in hundreds of ways
	@scripts/setup_python requirements-dev.lock
	@scripts/setup_node contracts
	@WORKERS=$(WORKERS) $(PY) -m scripts.contracts $(if $(WRITE),write) $(if $(MUTATE),mutate $(ONLY),$(if $(RUNS),runs=$(RUNS)))

lock: ## write the requirements*.lock files from pyproject.toml; UPGRADE=1 takes the newest versions
	@scripts/lock

clean: ## remove what the other targets made
	@scripts/clean
