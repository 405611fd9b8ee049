# Everything runs in .venv, which any target makes first.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test setup forget format lint types unit integration browser chaos peers clean

help: ## Say what there is.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

demo: setup ## Label real Korean reviews on a local Kafka and Redis, and show the counts.
	$(BIN)/nifos-stream demo

test: export LEFT_OUT := $(CURDIR)/.left-out
test: forget format lint types unit integration browser chaos ## Everything that can fail.
	@echo "All passed. Left out: $$(wc -l < $$LEFT_OUT) tests."
	@sort $$LEFT_OUT | uniq -c

forget:
	@: > .left-out

setup: $(READY) ## Make the virtual environment.

$(READY): pyproject.toml deploy/constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint deploy/constraints.txt --editable '.[dev]'
	@touch $@

format: setup ## Is everything formatted?
	$(BIN)/ruff format --check .

lint: setup ## ruff's rules.
	$(BIN)/ruff check .

types: setup ## mypy --strict.
	$(BIN)/mypy

unit: setup ## Tests without a server, within a minute.
	$(BIN)/pytest --numprocesses 2 tests/unit

integration: setup ## Tests on real Apache Kafka and real Redis.
	$(BIN)/pytest --numprocesses 3 --dist worksteal tests/integration

browser: setup ## The page in a real Chromium.
	$(BIN)/pytest --numprocesses 3 --dist worksteal tests/browser

chaos: setup ## Workers killed at random, and still each post exactly once.
	$(BIN)/pytest tests/chaos

peers: setup ## Measure it beside other libraries that do the same job, with ARGS='--shape … --posts …'.
	$(BIN)/python -m tests.peers $(ARGS)

clean: ## Remove the virtual environment and what the tools left.
	rm -rf .venv tests/peers/.envs .left-out .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build
