# `make repro` and `make test` both work in a fresh clone.
.PHONY: help setup setup-dev repro test unit lint bench clean
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
# Otherwise every test process would recompile the sources, and pytest would rewrite all assertions again.
unexport PYTHONDONTWRITEBYTECODE

PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
# Unlike pip, use all cores and skip the tests of packages; ignore files for other Python versions.
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' .venv src || true
PYTEST := $(BIN)/pytest --numprocesses 2 --dist worksteal

define BROWSER
for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit; done; \
echo "No browser found, but tests of the page need one: installing Chromium"; \
{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || $(BIN)/playwright install chromium
endef

help:  ## List all targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/installed  ## Create .venv with the pinned packages and cytocurve

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is required, found $$($(PYTHON) --version); try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		{ echo "error: this Python has no venv; on Debian: apt-get install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(PIP) --requirement requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@$(COMPILE)
	@touch $@

setup-dev: .venv/installed-dev  ## Also install the packages for linters and tests

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

unit: setup-dev  ## Run the fast tests, with fewer hypothesis examples than `make test`
	$(PYTEST) -m 'not slow' --hypothesis-profile quick

lint: setup-dev  ## Run the linters and type checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/hadolint docker/Dockerfile
	@if [ -x $(BIN)/biome ]; then $(BIN)/biome check --error-on-warnings .; else echo "biome is not available for this platform: skipping JavaScript checks"; fi

bench: setup-dev  ## Benchmark engines and statistics (about 20 minutes) -> bench/RESULTS.md
	@for part in steps throughput peak growth cold_start keras_profile catalog evaluate intervals choice validation planner; do $(BIN)/python -m bench.$$part || exit; done
	@echo "Long-running benchmarks: python -m bench.grid, bench.agreement, bench.relabelling, bench.comparison"

clean:  ## Remove reproducible outputs; keeps data/, ledger/ and mlruns/
	rm -rf build results reports/figures reports/plots reports/report.html .pytest_cache .mypy_cache .ruff_cache
