# One command for each thing one wants; `make help` lists them. Everything runs in .venv, which make keeps in step with the lock file.

PYTHON ?= python3
STUDY ?= config
RESULTS ?= results/default
PYTEST_OPTIONS ?= -n auto --maxprocesses 4 --dist loadfile

BIN := .venv/bin
LOCKED := .venv/.locked
INSTALLED := .venv/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Rules of the workflow call `dying-relu`.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help paper published-paper archive verify test lint notebooks bench clean latex lock

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  STUDY=smoke  another study of config/, for make paper (default: config, the default study)'
	@echo '  SLOW=yes  all tests, as in CI, for make test'
	@echo '  BENCH=--quick  fewer cases and rounds, for make bench'
	@echo '  PYTHON=...   the Python to make .venv with, 3.11 or newer (default: python3)'

paper: $(INSTALLED) latex ## Everything: set up, get the data, train, draw, typeset results/<study>/paper.pdf.
	@test -f config/$(STUDY).yaml || { \
	    echo 'error: there is no study config/$(STUDY).yaml; STUDY is the name of a file in config/, without .yaml' >&2; exit 1; }
	@$(BIN)/snakemake --configfile config/$(STUDY).yaml

published-paper: $(INSTALLED) latex ## Typeset paper/dying-relu.pdf from the tracked tables in results/published, without training.
	@$(BIN)/snakemake --snakefile workflow/published.smk --configfile config/published.yaml

archive: $(INSTALLED) latex ## Pack the published paper's source for arXiv, and its results with checksums, in results/published/archive.
	@$(BIN)/snakemake archive --snakefile workflow/published.smk --configfile config/published.yaml

verify: $(INSTALLED) ## Compare the study you have run (results/default, or RESULTS=folder) with the published tables.
	@$(BIN)/dying-relu verify --results $(RESULTS)

test: $(INSTALLED) latex ## Set up and run the tests; those of whole studies, kills and clusters only with SLOW=yes.
	@$(BIN)/pytest $(PYTEST_OPTIONS) $(if $(SLOW),,-m "not slow")

lint: $(INSTALLED) ## Check style, types and the workflow.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/snakemake --list-rules > .venv/lint.log
	@# One environment serves all rules, so a wish for one in every rule is not a finding.
	! $(BIN)/snakemake --lint 2>&1 | grep '^    \*' | grep -v 'Specify a conda environment or container'

notebooks: $(INSTALLED) ## Run the notebooks, on the study run last, and keep them with what they show (.ipynb).
	$(BIN)/jupytext --to ipynb --execute notebooks/*.py

bench: $(INSTALLED) ## Measure how fast this machine trains, beside the usual ways; leave it alone meanwhile.
	$(BIN)/python -m benchmarks all $(BENCH)

clean: ## Delete what studies have made; keep .venv and the data sets.
	rm -rf paper/generated .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis data/.[a-z]*
	@if [ -d results ]; then find results -mindepth 1 -maxdepth 1 ! -name published -exec rm -rf {} +; fi

# LaTeX, which pip cannot install: with apt-get where that is allowed, otherwise a message that says what is missing.
latex: $(INSTALLED)
	@$(BIN)/python -m dying_relu.paper.latex

$(INSTALLED): $(LOCKED) pyproject.toml
	@$(BIN)/pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# From an empty folder, so that what the lock file no longer names is gone.
$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo 'error: $(PYTHON) is not Python 3.11 or newer; name one that is: make PYTHON=python3.12 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	    echo 'error: $(PYTHON) cannot make virtual environments; on Debian or Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Installing the packages of requirements.lock into .venv (once; some minutes) ...'
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -qq --requirement requirements.lock
	@touch $@

# Not part of any other target: lock the newest versions that pyproject.toml admits, one set for all Pythons and systems. What
# torch brings along for GPUs differs from machine to machine and is left to pip.
lock:
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/pip install -qq uv
	.venv-lock/bin/uv pip compile --quiet --upgrade --universal --fork-strategy fewest --python-version 3.11.0 --all-extras \
	    --no-annotate --custom-compile-command 'make lock' --output-file .venv-lock/lock pyproject.toml
	grep -v -E '^(cuda|nvidia)-|^triton=' .venv-lock/lock > requirements.lock
	rm -rf .venv-lock
