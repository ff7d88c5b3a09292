# `make run`     environment (once), then the papers' figures from the simulated sky
# `make quick`   the same on a tiny sky: figures/quick/, results/quick/
# `make plan`    what `make run` would do       `make unlock`  after a kill -9 or a power cut
# `make test`    the test suite                 `make lint`    ruff, snakefmt, snakemake --lint
# `make bench`   our engines beside their peers, results/benchmark/bench.md (a quarter of an hour); `make bench-large`: the papers' sizes
# `make scale`   a photometric sky of two million sources to the catalogue, its rates and memory: results/scale/scale.md (`scale-20m`: twenty)
# `make test-archives`  the archive road against servers on this machine   `make test-slurm`  the cluster profile on a SLURM on this machine
# `make docs`    docs/configuration.md          `make lock`    pin envs/requirements.in again (needs uv)
# `make clean`   remove results/ and figures/, hours of work perhaps
# options: TARGET=rave (one paper, studies ...), CORES=4 (default all), MEM=16000 (megabytes for all jobs together), CONFIG=my.yaml (overrides), QUIET= (print everything), PYTHON=/path/to/python3.12

SHELL := /bin/bash
VENV ?= .venv
CORES ?= all
BIN := $(VENV)/bin
STAMP := $(VENV)/.requirements-installed
# the first Python that the pinned packages support
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(if $(shell $(p) -c 'import sys; print(int((3,11)<=sys.version_info[:2]<=(3,13)))' 2>/dev/null | grep 1),$(p),)))
# what Snakemake prints of each job; `make run QUIET=` shows everything
QUIET ?= --quiet rules host reason
# megabytes that all jobs together may ask for
MEMORY := $(if $(MEM),--resources mem_mb=$(MEM))
# what the scale report reads: those runs that there are (the default run has the networks)
MEASURED = $$(ls -d results/scale-2m results/scale-20m 2>/dev/null) $$([ ! -d results/benchmarks ] || echo results)
# a configuration file of your own that overrides the defaults
OVERRIDE := $(if $(CONFIG),--configfile $(CONFIG))

.PHONY: run quick plan unlock test lint lock env clean help

run: env
	$(BIN)/snakemake $(TARGET) --cores $(CORES) $(MEMORY) --rerun-incomplete $(QUIET) $(OVERRIDE)

quick: env
	$(BIN)/snakemake $(TARGET) --cores $(CORES) $(MEMORY) --rerun-incomplete $(QUIET) --configfile config/quick.yaml $(CONFIG)

plan: env
	$(BIN)/snakemake $(TARGET) --cores $(CORES) -n $(QUIET) $(OVERRIDE)

unlock: env
	$(BIN)/snakemake --unlock $(OVERRIDE)

test: env
	$(BIN)/python -m pytest tests

lint: env
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

env: $(STAMP)

$(STAMP): envs/requirements.txt
	@if [ -z "$(PYTHON)" ]; then echo "No Python 3.11, 3.12 or 3.13 was found; install one, or name it: make run PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@echo "Building the environment in $(VENV) with $(PYTHON) (once, a minute or two) ..."
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r envs/requirements.txt
	@touch $(STAMP)

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url envs/requirements.in -o envs/requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url envs/requirements-gpu.in -o envs/requirements-gpu.txt

clean:
	rm -rf results figures .snakemake

help:
	@sed -n '1,10s/^# //p' Makefile

.PHONY: bench bench-large scale scale-20m
bench: env
	$(BIN)/python -m benchmarks

bench-large: env
	$(BIN)/python -m benchmarks --large --out results/benchmark-large

scale: env
	$(BIN)/snakemake catalogs --cores $(CORES) $(MEMORY) --rerun-incomplete $(QUIET) --configfile config/scale.yaml
	$(BIN)/python workflow/scripts/scale_report.py $(MEASURED) --out results/scale

scale-20m: env
	$(BIN)/snakemake catalogs --cores $(CORES) $(MEMORY) --rerun-incomplete $(QUIET) --configfile config/scale.yaml config/scale-20m.yaml
	$(BIN)/python workflow/scripts/scale_report.py $(MEASURED) --out results/scale

.PHONY: docs test-archives test-slurm
test-archives: env
	TEST_SERVICES=1 $(BIN)/python -m pytest tests/unit/acquire tests/workflow/test_archives.py -s

# needs root and Debian's SLURM on this machine; says what is missing (docs/cluster.md)
test-slurm: env
	SLURM_LAB=1 $(BIN)/python -m pytest tests/slurm -s

docs: env
	PYTHONPATH=workflow/scripts $(BIN)/python workflow/scripts/configuration_page.py
