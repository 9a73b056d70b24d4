# The few verbs of this project. CI calls exactly these.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# pytest workers: the end-to-end tests wait more than they compute.
WORKERS ?= 4
SCHEDULES ?= 500

.PHONY: setup demo test faults lint pulumi clean help
.DEFAULT_GOAL := help

help: ## Show the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Create .venv and install the project into it

$(VENV)/.installed: pyproject.toml
	@echo "Setting up the virtual environment in $(VENV) (about a minute, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --editable '.[sandbox]' --group dev
	@touch $@

pulumi: setup ## Find the pulumi command or build it; print its folder
	@$(BIN)/python .ci/engine.py

demo: setup ## Watch the real pulumi start jobs on a local DRS sandbox
	@$(BIN)/python examples/demo.py

test: setup ## Run every test, those on the real engine included
	@engine="$$($(BIN)/python .ci/engine.py)" && \
	  PATH="$(CURDIR)/$(BIN):$$engine:$$PATH" $(BIN)/python -m pytest -n $(WORKERS)

faults: setup ## Run the long fault campaign: kills, lost answers, drift, two programs at once
	@$(BIN)/python -m tests.faults --schedules $(SCHEDULES)

lint: setup ## Check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

clean: ## Remove what the other verbs made in this folder
	rm -rf $(VENV) .demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
