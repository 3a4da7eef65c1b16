# Two commands matter: `make demo` and `make test`. Everything they need is in .venv and the data folder.
.DEFAULT_GOAL := help
SHELL := /bin/bash
HERE := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
PYTHON ?= python3
VENV := $(HERE)/.venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help demo stop test check lint types imports format lock clean-demo

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(HERE)/Makefile

demo: $(INSTALLED) ## a made-up office, Airflow on localhost, one night synced, a summary
	@cd $(HERE) && $(BIN)/python -m demo.run up

stop: ## stop what `make demo` started
	@if [ -x $(BIN)/python ]; then cd $(HERE) && $(BIN)/python -m demo.run down; fi

clean-demo: stop ## stop the demo and remove its data
	@if [ -x $(BIN)/python ]; then cd $(HERE) && $(BIN)/python -m demo.run remove; fi

test: $(INSTALLED) lint types imports ## style, types, import rules, and all tests
	@cd $(HERE) && $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: $(INSTALLED)
	@cd $(HERE) && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .

types: $(INSTALLED)
	@cd $(HERE) && $(BIN)/mypy

imports: $(INSTALLED)
	@cd $(HERE) && $(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache

format: $(INSTALLED) ## format the code
	@cd $(HERE) && $(BIN)/ruff check --quiet --fix . && $(BIN)/ruff format --quiet .

# Hashes for every file of every package, no index address; needs `uv`, which only this target uses.
lock: ## renew constraints.txt from pyproject.toml
	@cd $(HERE) && uv pip compile pyproject.toml --extra s3 --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet -o constraints.txt

$(INSTALLED): $(HERE)/constraints.txt $(HERE)/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else "lienthong needs Python 3.11 to 3.13 (this is %d.%d); set PYTHON=" % sys.version_info[:2])'
	@echo "Cài đặt môi trường vào .venv (lần đầu mất khoảng một phút)…"
	@umask 022 && $(PYTHON) -m venv $(VENV)
	@umask 022 && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r $(HERE)/constraints.txt >$(VENV)/install.log 2>&1 || { tail -n 20 $(VENV)/install.log; exit 1; }
	@umask 022 && $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
		--no-build-isolation -e $(HERE) >>$(VENV)/install.log 2>&1 || { tail -n 20 $(VENV)/install.log; exit 1; }
	@touch $(INSTALLED)
