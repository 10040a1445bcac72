# Everything a fresh clone needs, with nothing but git, make and Python (3.11 or newer).
#
#   make run     run the tutorial graph            make test       all checks and the tests
#   make transits   find planets in light curves, and draw which were found
#   make faces   run an experiment of BEAT that recognises drawn faces, and plot how well
#   make lint    the checks without the tests      make test-all   tests that need services, docker, ...
#   make docs    build the documentation           make bench      measure speed and memory
#   make peer    install the existing system beside this one, to compare with
#   make beat-peer   ... and the existing packages of BEAT, with the prefix of their tests
#   make artron-peer   ... and artron, whose task graphs ours are compared with
#   make crate-validator ... and what checks crates of runs, for `make test-all`
#   make web     build the pages of the managers, after changes in dlg_engine/web/frontend
#
# The first call makes .venv and installs into it (about a minute); later calls see from a stamp
# that pyproject.toml has not changed and go straight to work. Another Python: make PYTHON=python3.13 ...

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEER := build/peer
ARTRON := build/artron
VALIDATOR := build/crate-validator
BEAT_PEER := build/beat-peer
FRONTEND := dlg_engine/web/frontend
WEB := build/web
# How often a test that failed is tried again; continuous integration says 2. What passed only then
# is listed as RERUN and is still a fault to be mended.
RERUNS ?= 0
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# Marks of tests that need more than Python, or minutes; each such test skips, with its reason, where it
# cannot run.
NEEDY := long or services or slurm or docker or netns or browser or frontend or peer

.DEFAULT_GOAL := help
.PHONY: help run transits faces test test-all lint format coverage bench docs peer artron-peer beat-peer \
	crate-validator web clean

help:
	@sed -n '3,12s/^# //p' Makefile

run: $(VENV)/.installed-run
	@$(BIN)/dlg run graphs/tutorial/tutorial.graph

transits: $(VENV)/.installed-transits
	@$(BIN)/dlg run graphs/transits/transits.graph

faces: $(VENV)/.installed-faces
	@$(BIN)/dlg beat run demo/demo/recognition/1/faces --prefix graphs/beat/prefix

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

test: lint
	$(BIN)/pytest --numprocesses auto --reruns $(RERUNS) -m "not ($(NEEDY))"

test-all: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory crate-validator || echo "test-all: no validator of crates" >&2
	@$(BIN)/pytest --reruns $(RERUNS) -m "$(NEEDY)"; status=$$?; \
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

artron-peer: $(ARTRON)/.installed

beat-peer: $(BEAT_PEER)/.installed

crate-validator: $(VALIDATOR)/.installed

web: $(WEB)/.installed
	@rm -rf $(WEB)/src $(WEB)/public && cp -R $(FRONTEND)/. $(WEB)/
	@cd $(WEB) && npm run --silent check
	@rm -rf dlg_engine/web/static && cd $(WEB) && npm run --silent build -- ../../dlg_engine/web/static
	@echo "the pages are in dlg_engine/web/static"

clean:
	rm -rf $(VENV) build dist docs/_build docs/reference/api docs/reference/rest.md docs/reference/states
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

$(VENV)/.installed-transits: pyproject.toml | $(VENV)/.installed-run
	@echo "installing what makes and finds transits, once ..."
	@$(PIP) install --editable '.[transits]'
	@touch $@

$(VENV)/.installed-faces: pyproject.toml | $(VENV)/.installed-run
	@echo "installing what assets of BEAT need, once ..."
	@$(PIP) install --editable '.[beat,plots]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.made
	@echo "installing dlg and the tools of its developers into $(VENV), once ..."
	@$(PIP) install --editable '.[tasks,mysql,postgres,rabbitmq,dask,hpc,partition,plots,beat,metrics,provenance,transits,test,docs,dev]'
	@touch $@ $(VENV)/.installed-run $(VENV)/.installed-transits $(VENV)/.installed-faces

$(WEB)/.installed: $(FRONTEND)/package-lock.json
	@command -v npm >/dev/null || { echo "make web needs node (20 or newer) and npm"; exit 2; }
	@mkdir -p $(WEB) && cp $(FRONTEND)/package.json $(FRONTEND)/package-lock.json $(FRONTEND)/.npmrc $(WEB)/
	@cd $(WEB) && npm ci --ignore-scripts --silent
	@touch $@

# Its releases still import pkg_resources, which newer setuptools no longer have.
$(PEER)/.installed:
	@$(PYTHON) -m venv $(PEER)
	@$(PEER)/bin/python -m pip --quiet --disable-pip-version-check install 'setuptools<81' \
	    $(foreach part,common translator engine,daliuge-$(part)==6.6.0)
	@touch $@

# They need Python 3.11 at most (`imp`), numpy before 1.24 and the setuptools of their time; asking
# pip for their dependencies would undo that. Their two halves of one prefix are joined.
BEAT_PYTHON ?= $(shell command -v python3.11 || echo $(PYTHON))
BEAT_PIP := $(BEAT_PEER)/.venv/bin/python -m pip --quiet --disable-pip-version-check install

$(BEAT_PEER)/.installed:
	@$(BEAT_PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 12))' || \
	{ echo "make beat-peer needs Python 3.11: make BEAT_PYTHON=/path/to/python3.11"; exit 2; }
	@$(BEAT_PYTHON) -m venv $(BEAT_PEER)/.venv
	@$(BEAT_PIP) 'setuptools<70' wheel 'numpy<1.24' 'jsonschema==3.2.0' 'matplotlib<3.9' \
	    pyzmq simplejson docopt graphviz docker six
	@$(BEAT_PIP) --no-deps --no-build-isolation beat.core==1.13.5 beat.backend.python==1.7.15
	@rm -rf $(BEAT_PEER)/prefix && mkdir $(BEAT_PEER)/prefix
	@for half in backend/python core; do \
	    cp -R $(BEAT_PEER)/.venv/lib/python3*/site-packages/beat/$$half/test/prefix/. \
	        $(BEAT_PEER)/prefix/ || exit 1; \
	done
	@find $(BEAT_PEER)/prefix -name __pycache__ -prune -exec rm -r {} +
	@touch $@

# It asks for an older rich than ours. That release of rocrate brings the terms of RO-Crate 1.1, the version
# of our crates, so that nobody asks the web for them.
$(VALIDATOR)/.installed:
	@$(PYTHON) -m venv $(VALIDATOR)
	@$(VALIDATOR)/bin/python -m pip --quiet --disable-pip-version-check install \
	    'roc-validator>=0.13' 'rocrate==0.13.0'
	@touch $@

$(ARTRON)/.installed:
	@$(PYTHON) -m venv $(ARTRON)
	@$(ARTRON)/bin/python -m pip --quiet --disable-pip-version-check install artron==0.0.5
	@touch $@
