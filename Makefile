# Every chore of this project. Needs Python 3.11 or later and make, nothing else; `make PYTHON=python3.13 demo` picks another Python.
PYTHON ?= python3
BIN := .venv/bin
# More words for the program behind a target, for example: make test ARGS="-k merge"
ARGS ?=
# How many random histories `make soak` lives, and the seed of the first: make soak N=1000000 SEED=20000
N ?= 100000
SEED ?= 10000

.PHONY: help demo test histories soak kills mutants lint audit format bench bench-large labelled lock clean
.DEFAULT_GOAL := help

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target what; do printf '%-14s %s\n' "$$target" "$$what"; done

demo: .venv/.installed ## Run the main job on two sandbox worlds
	@$(BIN)/stagesync demo $(ARGS)

test: .venv/.installed ## Run every test
	$(BIN)/python -m pytest -q -n logical --maxprocesses=4 $(ARGS)

# The programs among the tests find what all tests share where pytest finds it.
LIVE := PYTHONPATH=tests/workshop $(BIN)/python tests/histories
# Histories under rules and clocks, of undos and of killed programs have tests of their own, which take their number from the environment.
MORE := $(BIN)/python -m pytest -q -n logical tests/histories/test_lifecycle.py tests/histories/test_undo.py tests/histories/test_kills.py

histories: .venv/.installed ## Live 10,000 random histories (1,500 with webhooks, 500 with bulk jobs), short stories, a sample of the directed ones, 40 real kills
	$(LIVE)/history_run.py --random 8000 --hinted 1500 --bulk 500 --directed 1000 --stories $(ARGS)
	STAGESYNC_HISTORIES=120 STAGESYNC_KILLS=40 STAGESYNC_KILLS_POSTGRES=2 $(MORE)

soak: .venv/.installed ## Live N random histories (100,000), every directed one, 400 real kills; ARGS='--seed 417' tells the story of one
	$(LIVE)/history_run.py --random $(N) --start $(SEED) --hinted $(N) --bulk $(N) --directed all --stories $(ARGS)
	$(if $(ARGS),,STAGESYNC_HISTORIES=2000 STAGESYNC_KILLS=200 STAGESYNC_KILLS_POSTGRES=200 $(MORE))

kills: .venv/.installed ## Kill migrations at random instants, their loads 20 times, and compare each with an unbroken one
	STAGESYNC_LOAD_KILLS=20 $(BIN)/python -m pytest -q tests/migrating/test_kills.py $(ARGS)

mutants: .venv/.installed ## Put one bug after the other into the program and show that histories find it
	$(LIVE)/mutant_check.py $(ARGS)

lint: .venv/.installed ## Check style, types, the house's import rules and the documents
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/house/test_docs_links.py
	$(BIN)/python .ci/audit.py

audit: .venv/.installed ## Hold the locked dependencies against the known vulnerabilities
	$(BIN)/python .ci/audit.py

format: .venv/.installed ## Format the code and cure what can be cured by machine
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/.installed ## Measure, and print the table
	$(BIN)/python -m bench $(ARGS)

bench-large: .venv/.installed ## Migrate a million people once, and print the table (hours, and about 12 GB for the sandbox)
	FULL=1 $(BIN)/python -m bench migration

labelled: .venv/.installed ## Install the labelled data that `make bench ARGS=duplicates` needs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-labelled.txt

lock: ## Compile requirements.txt and requirements-labelled.txt again (ARGS=--upgrade takes newer versions)
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	$(PYTHON) -m venv "$$tools" && "$$tools/bin/pip" install --quiet --disable-pip-version-check uv && \
	"$$tools/bin/uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
	  --extra postgres --extra charts --extra notify --group dev -o requirements.txt $(ARGS) pyproject.toml && \
	"$$tools/bin/uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-deps \
	  --group labelled -o requirements-labelled.txt $(ARGS)

clean: ## Remove the virtual environment and everything built
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage

# Two stamps: a change in pyproject.toml alone installs the project again within a second or two, not its requirements.
.venv/.requirements: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "stagesync needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.13")'
	@echo 'Building .venv (once, about a minute) ...'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

# The link is how type checkers resolve `from stagesync.model...` in the tests: each top-level folder is a portion of the namespace stagesync.
.venv/.installed: pyproject.toml .venv/.requirements
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p .venv/src && ln -sfn ../.. .venv/src/stagesync
	@touch $@
