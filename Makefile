# `make repro` and `make test` each do everything from a fresh clone.
.PHONY: help setup setup-dev repro test unit lint bench clean
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
# Every process of a test run would compile the sources, and pytest rewrite all assertions, from scratch.
unexport PYTHONDONTWRITEBYTECODE

PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
# On all cores, unlike pip, and without the packages' own tests; a file for another Python is no error.
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' .venv src || true
PYTEST := $(BIN)/pytest --numprocesses 2 --dist worksteal

define BROWSER
for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit; done; \
echo "No browser is here, and the tests of the page need one: installing Chromium"; \
{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || $(BIN)/playwright install chromium
endef

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/installed  ## Make .venv with the pinned packages and cytocurve itself

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed, found $$($(PYTHON) --version); try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "error: this Python has no venv; on Debian: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(PIP) --requirement requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@$(COMPILE)
	@touch $@

setup-dev: .venv/installed-dev  ## The same with what linters and tests need

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PIP) --requirement requirements-dev.txt
	@$(COMPILE)
	@$(BROWSER)
	@touch $@

repro: setup  ## Run the study of params.yaml, from images to a registered model and reports/report.html
	@[ -d data ] || $(BIN)/dvc pull --quiet data.dvc 2>/dev/null || $(BIN)/cytocurve data add starter
	$(BIN)/dvc repro

test: setup-dev lint  ## Run all checks and tests
	$(PYTEST)

unit: setup-dev  ## Run the tests that take seconds, laws on fewer examples than in `make test`
	$(PYTEST) -m 'not slow' --hypothesis-profile quick

lint: setup-dev  ## Run the linters and type checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/hadolint docker/Dockerfile

bench: setup-dev  ## Measure engines and statistics (some 20 minutes) -> bench/RESULTS.md
	@for part in steps throughput peak growth cold_start keras_profile catalog evaluate intervals planner; do $(BIN)/python -m bench.$$part || exit; done
	@echo "The long ones: python -m bench.grid, bench.agreement, bench.relabelling, bench.comparison"

clean:  ## Remove what can be computed again; keeps data/, ledger/ and mlruns/
	rm -rf build results reports/figures reports/plots reports/report.html .pytest_cache .mypy_cache .ruff_cache
