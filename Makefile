# The project's commands. Each sets up what it needs, in .venv, from nothing but
# Python 3.11 or later and a package index.

PYTHON ?= python3
BIN = .venv/bin
READY = .venv/.ready
DIST ?= dist

.PHONY: demo test check docs pictures bench zipapp clean

demo: $(READY)  ## Watch made-up tasks for a few seconds
	@if [ -t 1 ]; then view=table; else view=lines; fi; \
	$(BIN)/tcsniff --demo --seed 7 --count 400 --output $$view

test: $(READY)  ## Run all tests, those with RabbitMQ on a server of their own
	@.ci/rabbitmq
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=85

check: $(READY)  ## Format, lint, types, which way imports point, documents that are up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m man.generate --check
	$(BIN)/python -m completions.generate --check
	$(BIN)/python -m pytest -q tests/unit/test_layout.py tests/unit/test_startup.py

docs: $(READY)  ## Write the manual pages and completions
	$(BIN)/python -m man.generate
	$(BIN)/python -m completions.generate

# Each line draws one; tests/test_pictures.py says which are old, and reads them here.
pictures: $(READY)  ## Draw the pictures in man/pictures/ anew
	@mkdir -p man/pictures
	$(BIN)/tcsniff --demo --seed 1 --utc -q -n 76 -o lines --save-svg man/pictures/table.svg task-pending task-running task-completed task-failed task-exception >/dev/null
	$(BIN)/tcsniff graph --demo --seed 14 -n 250 -q -o lines --save-svg man/pictures/graph.svg >/dev/null || [ $$? -eq 10 ]
	$(BIN)/tcsniff top --demo --seed 4 -n 900 -q --save-svg man/pictures/top.svg >/dev/null

bench: $(READY)  ## Measure speed and memory against promises, as ratios; ten minutes
	@.ci/rabbitmq
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python tests/benchmarks/decode.py
	$(BIN)/python tests/benchmarks $(SECTIONS)

zipapp: $(READY)  ## Make dist/tcsniff.pyz: all in one file, for this Python and this kind of system
	$(BIN)/shiv --console-script tcsniff --python '/usr/bin/env python3' --compressed \
	  --output-file $(DIST)/tcsniff.pyz .

clean:
	rm -rf .venv dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tcsniff needs Python 3.11 or later; have another with make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@
