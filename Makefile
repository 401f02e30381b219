# make demo  sets everything up in .venv and improves a network on a real table
# make test  sets everything up and runs the linter, the types, the import contract and the tests
PYTHON ?= python3
BIN := .venv/bin
DEMO := examples/$(shell ls examples 2>/dev/null | grep -m 1 -E '\.(csv|parquet)$$')

.PHONY: setup demo test lint unit docs clean

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Liebig needs Python 3.11 or newer, however %s is %s" % (sys.executable, sys.version.split()[0])) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	@touch $@

demo: setup
	$(BIN)/liebig improve $(DEMO) --target $(shell cat examples/target) --budget 60s

test: lint unit

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
