# Everything a fresh clone needs, with nothing but git, make and Python (3.11 or newer).
#
#   make run     run the tutorial graph            make test       all checks and the tests
#   make lint    the checks without the tests      make test-all   tests that need services, docker, ...
#   make docs    build the documentation           make bench      measure speed and memory
#   make peer    install the existing system beside this one, to compare with
#
# The first call makes .venv and installs into it (about a minute); later calls see from a stamp
# that pyproject.toml has not changed and go straight to work. Another Python: make PYTHON=python3.13 ...

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEER := build/peer
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# Marks of tests that need more than Python; each such test skips, with its reason, where it cannot run.
NEEDY := services or docker or netns or browser or peer

.DEFAULT_GOAL := help
.PHONY: help run test test-all lint format coverage bench docs peer clean

help:
	@sed -n '3,6s/^# //p' Makefile

run: $(VENV)/.installed-run
	@$(BIN)/dlg run graphs/tutorial/tutorial.graph

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

test: lint
	$(BIN)/pytest --numprocesses auto -m "not ($(NEEDY))"

test-all: $(VENV)/.installed-dev
	@$(BIN)/pytest -m "$(NEEDY)"; status=$$?; \
	if [ $$status -eq 5 ]; then echo "test-all: no such tests yet"; else exit $$status; fi

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: $(VENV)/.installed-dev
	$(BIN)/pytest --numprocesses auto -m "not ($(NEEDY))" --cov --cov-report=term

bench: $(VENV)/.installed-dev
	@for program in $$(grep -l __main__ tests/bench/*.py); do $(BIN)/python "$$program" || exit; done

docs: $(VENV)/.installed-dev
	$(BIN)/sphinx-build -W --keep-going --quiet -b html docs docs/_build/html
	@echo "the documentation is in docs/_build/html/index.html"

peer: $(PEER)/.installed

clean:
	rm -rf $(VENV) build dist docs/_build docs/reference/api docs/reference/states
	rm -rf .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# --- set-up -----------------------------------------------------------------------------------

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "dlg needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@# An old pip takes fifteen times as long to find out what to install.
	@$(PIP) install --upgrade pip
	@touch $@

$(VENV)/.installed-run: pyproject.toml | $(VENV)/.made
	@echo "installing dlg into $(VENV), once ..."
	@$(PIP) install --editable '.[plots]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.made
	@echo "installing dlg and the tools of its developers into $(VENV), once ..."
	@$(PIP) install --editable '.[partition,plots,test,docs,dev]'
	@touch $@ $(VENV)/.installed-run

# Its releases still import pkg_resources, which newer setuptools no longer have.
$(PEER)/.installed:
	@$(PYTHON) -m venv $(PEER)
	@$(PEER)/bin/python -m pip --quiet --disable-pip-version-check install 'setuptools<81' \
	    $(foreach part,common translator engine,daliuge-$(part)==6.6.0)
	@touch $@
