# Thin names for ./dev, which works where make is missing.
.PHONY: help setup demo test soak check lock
.DEFAULT_GOAL := help

help: ## show what can be done
	@./dev help

setup: ## install the locked dependencies into .venv
	@./dev setup

demo: ## start everything with a demo organisation
	@./dev demo

test: ## run the whole test suite on services of its own
	@./dev test

soak: ## whole runs with faults at random moments: RUNS=200 SEED=1
	@./dev soak RUNS=$(RUNS) SEED=$(SEED)

check: ## lint, types, templates, migrations, deployment settings
	@./dev check

lock: ## compile the lock files anew
	@./dev lock
