# What a reader types. `make help` lists it. Needs Python 3.11, 3.12 or 3.13 and a package index.

SHELL := /bin/sh
VENV := .venv
PYTHON ?=
CHAPTERS ?=
EXTRAS ?= test,classroom
STAMP := $(VENV)/.dlbook-installed
BENCH_STAMP := $(VENV)/.dlbook-bench-installed
# a set PYTHONDONTWRITEBYTECODE would cost 20 s at each start of a kernel, for ever
PIP := env -u PYTHONDONTWRITEBYTECODE $(VENV)/bin/python -m pip --disable-pip-version-check -qq

.PHONY: help setup run test lab bench lint clean distclean

help:
	@echo 'make run                   execute the tour for newcomers and show what it reaches'
	@echo 'make run CHAPTERS="05 18"  execute these; CHAPTERS=all executes the whole book'
	@echo 'make lab                   open JupyterLab on the first chapter'
	@echo 'make test                  all tests, and every notebook on stand-in data; no network'
	@echo 'make bench                 compare with plain PyTorch and gensim (installs both)'
	@echo 'make lint                  ruff, on modules and notebooks'
	@echo 'make clean                 remove results and caches; make distclean also removes $(VENV)'
	@echo 'The first of them sets $(VENV) up. Another Python: make distclean run PYTHON=python3.12'

setup: $(STAMP)

run: $(STAMP)
	@$(VENV)/bin/dlbook run $(CHAPTERS)

test: $(STAMP)
	@$(VENV)/bin/pytest

lab: $(STAMP)
	@$(VENV)/bin/jupyter lab $(firstword $(sort $(wildcard notebooks/[0-9]*.ipynb)))

bench: $(BENCH_STAMP)
	@$(VENV)/bin/python tests/benchmarks/bench.py

lint: $(STAMP)
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

clean:
	rm -rf build .pytest_cache .ruff_cache
	find dlbook tests notebooks \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) dlbook.egg-info

# Takes the first Python that is of the right age, runs (a shim may only pretend to) and can make
# virtual environments. A whole $(VENV) is used again, unless a PYTHON is given.
$(STAMP): pyproject.toml constraints.txt
	@fits='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	chosen=''; \
	for candidate in $(or $(PYTHON),$(VENV)/bin/python python3.13 python3.12 python3.11 python3); do \
	    if [ "$$candidate" = $(VENV)/bin/python ] && ! $$candidate -m pip --version >/dev/null 2>&1; then \
	        continue; \
	    fi; \
	    if $$candidate -c "$$fits" >/dev/null 2>&1; then chosen=$$candidate; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
	    echo 'No usable Python was found: $(or $(PYTHON),python3.13 python3.12 python3.11 python3).' >&2; \
	    echo 'Install Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt install python3-venv),' >&2; \
	    echo 'or name one: make run PYTHON=/path/to/python3.12' >&2; \
	    exit 1; \
	fi; \
	version=$$($$chosen -c 'import platform; print(platform.python_version())'); \
	echo "Setting up $(VENV) with Python $$version: about two minutes, and 0.7 GB to download the first time"; \
	if [ "$$chosen" != $(VENV)/bin/python ]; then $$chosen -m venv --clear $(VENV) || exit 1; fi
	@$(PIP) install --compile -c constraints.txt -e '.[$(EXTRAS)]'
	@# an installer's settings may have kept the byte code away
	@packages=$$($(VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	if [ -d "$$packages/tensorflow" ] && [ ! -d "$$packages/tensorflow/__pycache__" ]; then \
	    echo 'Compiling byte code'; \
	    $(VENV)/bin/python -m compileall -q -j 0 "$$packages" || true; \
	fi
	@touch $@
	@echo 'Set-up is done'

$(BENCH_STAMP): $(STAMP)
	@echo 'Installing PyTorch, for the comparison only'
	@$(PIP) install --compile -c constraints.txt -e '.[$(EXTRAS),bench]'
	@touch $@
