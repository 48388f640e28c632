# One command for each task; `make help` lists them. Everything runs in .venv, which make keeps in step with the lock files: those of
# the paper for every target, that of development for the tests and the linters, too.

PYTHON ?= python3
STUDY ?= config
RESULTS ?= results/default
# A process for every core that the system counts. The order of files is that of tests/longest_first.py.
PYTEST_OPTIONS ?= -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

BIN := .venv/bin
LOCKED := .venv/.locked
INSTALLED := .venv/.installed
DEVELOPMENT := .venv/.development
LOCKING := .venv-lock
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Rules of the workflow call `dying-relu`.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help paper published-paper archive verify test lint docs notebooks bench clean latex lock

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

test: $(DEVELOPMENT) latex ## Set up and run the tests; those of whole studies, kills and clusters only with SLOW=yes.
	@$(BIN)/pytest $(PYTEST_OPTIONS) $(if $(SLOW),,-m "not slow")

lint: $(DEVELOPMENT) ## Check style, types, the direction of imports and the workflow.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakemake --list-rules > .venv/lint.log
	@# One environment serves all rules, so a wish for one in every rule is not a finding.
	! $(BIN)/snakemake --lint 2>&1 | grep '^    \*' | grep -v 'Specify a conda environment or container'

docs: $(DEVELOPMENT) ## Write the pages and the reference of the code as a site, build/docs/index.html.
	@$(BIN)/python docs/build.py

notebooks: $(INSTALLED) ## Run the notebooks, on the study run last, and keep them with what they show (.ipynb).
	$(BIN)/jupytext --to ipynb --execute notebooks/*.py

bench: $(DEVELOPMENT) ## Measure how fast this machine trains, beside the usual ways; leave it alone meanwhile.
	$(BIN)/python -m benchmarks all $(BENCH)

clean: ## Delete what studies have made; keep .venv and the data sets.
	rm -rf paper/generated .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis data/.[a-z]*
	@if [ -d results ]; then find results -mindepth 1 -maxdepth 1 ! -name published -exec rm -rf {} +; fi

# LaTeX, which pip cannot install: with apt-get where that is allowed, otherwise a message that says what is missing.
latex: $(INSTALLED)
	@$(BIN)/python -m dying_relu.paper.latex

# Editable: what is edited in src/ and workflow/logger/ counts at once.
$(INSTALLED): $(LOCKED) pyproject.toml workflow/logger/pyproject.toml
	@$(BIN)/pip install -qq --no-deps --no-build-isolation --editable . --editable workflow/logger
	@touch $@

$(DEVELOPMENT): $(INSTALLED) requirements-development.lock
	@echo 'Installing the packages of requirements-development.lock into .venv (once; a minute or two) ...'
	@$(BIN)/pip install -qq --no-deps --require-hashes --requirement requirements-development.lock
	@touch $@

# From an empty folder, so that what the lock files no longer name is gone. torch comes without a hash, since its files differ from
# machine to machine, and with the packages for GPUs that it needs there.
$(LOCKED): requirements.lock requirements-torch.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo 'error: $(PYTHON) is not Python 3.11 or newer; name one that is: make PYTHON=python3.12 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	    echo 'error: $(PYTHON) cannot make virtual environments; on Debian or Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Installing the packages of requirements.lock and requirements-torch.lock into .venv (once; some minutes) ...'
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -qq --no-deps --require-hashes --requirement requirements.lock
	@$(BIN)/pip install -qq --requirement requirements-torch.lock
	@touch $@

# Not part of any other target: bring the lock files and environment.yml in step with pyproject.toml, one set for all Pythons and
# systems. Versions stay as they are where pyproject.toml admits them; `make lock UPGRADE=yes` takes the newest.
#
#     requirements.lock              the paper and the notebooks, with hashes
#     requirements-development.lock  what tests and linters need besides, with hashes
#     requirements-torch.lock        torch, torchvision and what only they need, without hashes; packages for GPUs are left to pip
PAPER := --extra study --extra workflow --extra notebooks --extra slurm
COMPILE = $(LOCKING)/bin/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11.0 --no-annotate \
    --custom-compile-command 'make lock'
# The requirements of the second file that the first does not have.
SUBTRACT := awk '{ line = $$0; sub(/ *\\$$/, "", line) } NR == FNR { first[line]; next } /^[a-z]/ { keep = !(line in first) } keep || /^\#/'
lock:
	$(PYTHON) -m venv --clear $(LOCKING)
	$(LOCKING)/bin/pip install -qq uv
	cat requirements*.lock > $(LOCKING)/all
	printf 'torch\ntorchvision\n' > $(LOCKING)/torch.in
	$(COMPILE) $(if $(UPGRADE),--upgrade) --all-extras --output-file $(LOCKING)/all pyproject.toml
	$(COMPILE) --constraints $(LOCKING)/all --output-file $(LOCKING)/torch $(LOCKING)/torch.in
	$(COMPILE) --constraints $(LOCKING)/all --excludes $(LOCKING)/torch.in --generate-hashes $(PAPER) \
	    --output-file $(LOCKING)/paper pyproject.toml
	$(COMPILE) --constraints $(LOCKING)/all --excludes $(LOCKING)/torch.in --generate-hashes --all-extras \
	    --output-file $(LOCKING)/development pyproject.toml
	$(SUBTRACT) $(LOCKING)/paper $(LOCKING)/torch | grep -v -E '^(cuda|nvidia)-|^triton=' > requirements-torch.lock
	$(SUBTRACT) $(LOCKING)/paper $(LOCKING)/development > requirements-development.lock
	cp $(LOCKING)/paper requirements.lock
	sed '/written by make lock/q' environment.yml > $(LOCKING)/environment.yml
	sed -n -e 's/ *\\$$//' -e 's/^[a-z].*/      - "&"/p' requirements-torch.lock requirements.lock >> $(LOCKING)/environment.yml
	cp $(LOCKING)/environment.yml environment.yml
	rm -rf $(LOCKING)
