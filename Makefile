# The few verbs of this project. CI calls exactly these.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# pytest workers: the end-to-end tests wait more than they compute.
WORKERS ?= 4
# Seeds of the fault campaign, of programs that stay the same and of programs that change.
SCHEDULES ?= 300
SCENARIOS ?= 300
# Changes that `make mutants` tries, and which ones.
SAMPLE ?= 150
SEED ?= 1

.PHONY: setup lock demo browser test search test-newest test-lowest test-pythons faults mutants messages docs reference pictures dist lint bench pulumi clean help
.DEFAULT_GOAL := help

help: ## Show the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Installs what the lock names and nothing else; any pip of Python 3.10 or later can do it.
LOCKED  = install --quiet --disable-pip-version-check --require-hashes --requirement
PROJECT = install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
# The project with all its extras, not locked.
WHOLE   = install --quiet --editable '.[sandbox,clouds,aksk]'

setup: $(VENV)/.installed ## Create .venv and install the project into it, with the locked versions of everything

$(VENV)/.installed: pyproject.toml .ci/lock/dev.txt
	@echo "Setting up the virtual environment in $(VENV) (about a minute, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip $(LOCKED) .ci/lock/dev.txt
	@$(BIN)/python -m pip $(PROJECT)
	@touch $@

UV_COMPILE = $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
  --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

lock: ## Write the lock anew as pyproject.toml asks; UPGRADE=1 takes the newest version of everything
	@$(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13'
	@$(UV_COMPILE) --all-extras --group dev --output-file .ci/lock/dev.txt pyproject.toml
	@$(UV_COMPILE) --group bench --constraint .ci/lock/dev.txt --output-file .ci/lock/bench.txt

pulumi: setup ## Find the pulumi command or build it; print its folder
	@$(BIN)/python .ci/engine.py

demo: setup ## Watch the real pulumi start jobs on a local DRS sandbox; KEEP=1 leaves the sandbox open
	@$(BIN)/python examples/demo.py $(if $(KEEP),--keep)

browser: setup ## Find the Chromium that tests of the sandbox's page drive, or install Debian's
	@$(BIN)/python .ci/browser.py

test: setup ## Run every test, those on the real engine included
	@engine="$$($(BIN)/python .ci/engine.py)" && \
	  PATH="$(CURDIR)/$(BIN):$$engine:$$PATH" $(BIN)/python -m pytest -n $(WORKERS)

search: setup ## Try new random examples on every test that takes any, 2000 each
	@$(BIN)/python -m pytest -m 'not engine' -k 'not test_campaign' -n $(WORKERS) --hypothesis-profile=search \
	  $$(grep -rl --include='test_*.py' '^ *@given' tests)

faults: setup ## Run the long fault campaign: kills, lost answers, drift, two programs at once, programs that change, kills everywhere
	@$(BIN)/python -m tests.faults --schedules $(SCHEDULES) --scenarios $(SCENARIOS)
	@$(BIN)/python -m tests.faults --exhaustive
	@# What the campaign's engine is worth: the same cases with the real one.
	@REAL=all $(BIN)/python -m pytest -q -n $(WORKERS) tests/faults/scenarios/test_real.py

mutants: setup ## Change one thing at a time in the decisions and name the changes that no fast test notices; ALL=1 tries all
	@$(BIN)/python -m tests.mutants $(if $(ALL),--all,--sample $(SAMPLE) --seed $(SEED)) --workers $(WORKERS)

messages: setup ## Write every message anew into tests/messages/messages.txt, to read what a change of words comes to
	@$(BIN)/python -m tests.messages

docs: setup ## Make the pages of the documentation, without the network; print where they begin
	@$(BIN)/python -m sphinx -n -W --keep-going -q -c docs -b html . .docs
	@echo "$(CURDIR)/.docs/index.html"

reference: setup ## Write the tables of the reference in docs/ anew, from the tables of the code
	@$(BIN)/python -m docs.fill

# All sizes take about a quarter of an hour and are kept; SIZES="1 10" is a short run, kept nowhere.
bench: setup ## Measure ours, the other candidates and the baseline on the real engine; write docs/benchmark.md
	@$(BIN)/python -m pip $(LOCKED) .ci/lock/bench.txt
	@$(BIN)/python -m bench $(if $(SIZES),--sizes $(SIZES) --out .bench,--out docs)

pictures: setup ## Draw docs/up.svg and docs/drift.svg from what the real pulumi prints
	@$(BIN)/python docs/pictures.py

dist: setup ## Build sdist and wheel into dist/, check them, and run the quickstart with the installed wheel
	@$(BIN)/python .ci/dist.py

lint: setup ## Check style, types, the direction of imports, the dependencies and the workflow files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@# One by one, because each is a module of the name __main__.
	@for folder in $(sort $(dir $(wildcard examples/*.py examples/*/*.py examples/templates/*/*.py docs/*.py))); do $(BIN)/mypy --no-error-summary $$folder*.py || exit; done
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports
	@$(BIN)/python -m pip check
	@$(BIN)/python .ci/audit.py
	@$(BIN)/python .ci/workflows.py

# What needs no engine, and some of the tests that do; old SDKs show no traceback.
FAST   := -m 'not engine and not browser' --ignore=tests/packaging --ignore=tests/faults
ENGINE := tests/e2e/test_whole_life.py tests/e2e/test_failures.py \
  --deselect tests/e2e/test_failures.py::test_an_unexpected_error_keeps_its_traceback

test-newest: setup ## Run lint and every test with the newest versions of the dependencies
	@$(BIN)/python -m venv --clear $(VENV)/newest
	@$(VENV)/newest/bin/python -m pip install --quiet --upgrade pip
	@$(VENV)/newest/bin/python -m pip $(WHOLE) --group dev
	@$(MAKE) --no-print-directory lint test BIN=$(VENV)/newest/bin

test-lowest: setup ## Run tests with the lowest versions of the dependencies that pyproject.toml allows
	@$(BIN)/python -m venv --clear $(VENV)/lowest
	@$(BIN)/python .ci/lowest.py > $(VENV)/lowest/constraints.txt
	@$(VENV)/lowest/bin/python -m pip install --quiet --upgrade pip
	@$(VENV)/lowest/bin/python -m pip $(WHOLE) --group test --constraint $(VENV)/lowest/constraints.txt
	@cat $(VENV)/lowest/constraints.txt
	@# Not the vendor's client, which is only there to check the sandbox.
	@$(VENV)/lowest/bin/python -m pytest $(FAST) --ignore=tests/sandbox/test_vendor_sdk.py -n $(WORKERS)
	@engine="$$($(BIN)/python .ci/engine.py)" && \
	  PATH="$(CURDIR)/$(VENV)/lowest/bin:$$engine:$$PATH" $(VENV)/lowest/bin/python -m pytest $(ENGINE) -n $(WORKERS)

# Found on PATH, or where pyenv keeps its own; PYTHONS may name others.
PYTHONS ?= 3.10 3.11 3.12 3.13

test-pythons: ## Run the tests that need no engine on each Python version at hand, with the locked versions
	@ran=; missing=; failed=; \
	for version in $(PYTHONS); do \
	  python="$$(command -v python$$version || true)"; \
	  for candidate in $$python $$(ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$$version.*/bin/python 2>/dev/null); do \
	    if "$$candidate" -c 'import ensurepip, venv' 2>/dev/null; then python="$$candidate"; break; else python=; fi; \
	  done; \
	  if [ -z "$$python" ]; then missing="$$missing $$version"; continue; fi; \
	  folder="$(VENV)/pythons/$$version"; \
	  echo "== Python $$version ($$("$$python" --version))"; \
	  if "$$python" -m venv "$$folder" && \
	    "$$folder/bin/python" -m pip $(LOCKED) .ci/lock/dev.txt && \
	    "$$folder/bin/python" -m pip $(PROJECT) && \
	    "$$folder/bin/python" -m pytest $(FAST) -n $(WORKERS); \
	  then ran="$$ran $$version"; else failed="$$failed $$version"; fi; \
	done; \
	echo "passed:$${ran:- none}; failed:$${failed:- none}; NOT FOUND, so not run:$${missing:- none}"; \
	[ -z "$$failed" ] && [ -n "$$ran" ]

clean: ## Remove what the other verbs made in this folder
	rm -rf $(VENV) .bench .demo .docs dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
