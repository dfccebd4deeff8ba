# The project's commands. Each sets up what it needs in .venv, and needs only
# Python 3.11 or later and a package index.

PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/python -m pip --quiet --disable-pip-version-check
READY = .venv/.ready
DIST ?= dist
# A group of tests that share something expensive stays in one worker. Each worker starts a
# RabbitMQ, so more than four cost more than they save.
PARALLEL = -n auto --maxprocesses 4 --dist loadgroup
# Images for containers often set it. Then each process that a test starts would compile
# tcsniff again, which takes longer than all else of its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test unit coverage check docs pictures bench zipapp clean

demo: $(READY)  ## Watch simulated tasks for a few seconds
	@if [ -t 1 ]; then view=table; else view=lines; fi; \
	$(BIN)/tcsniff --demo --seed 7 --count 400 --output $$view

test: $(READY)  ## Run all tests; they start RabbitMQ by themselves
	@.ci/rabbitmq
	$(BIN)/python -m pytest $(PARALLEL) --hypothesis-profile thorough $(ARGS)

unit: $(READY)  ## Run the tests without processes and RabbitMQ, in fifteen seconds on two cores
	$(BIN)/python -m pytest -q -n auto $(ARGS) tests/unit

coverage: $(READY)  ## Show which lines the unit tests don't run; they take twice as long
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n auto $(ARGS) tests/unit
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=85

check: $(READY)  ## Check format, lint, types, the direction of imports, words, and documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m man.generate --check
	$(BIN)/python -m completions.generate --check
	$(BIN)/python tests/docs/words.py
ifeq ($(filter test,$(MAKECMDGOALS)),) # `make check test` runs it with all other tests
	$(BIN)/python -m pytest -q tests/unit/test_layout.py
endif

docs: $(READY)  ## Write the manual pages and completions
	$(BIN)/python -m man.generate
	$(BIN)/python -m completions.generate

# Each line draws one; tests/process/test_pictures.py says which are old, and reads them here.
pictures: $(READY)  ## Draw the pictures in man/pictures/ anew
	@mkdir -p man/pictures
	$(BIN)/tcsniff --demo --seed 1 --utc -q -n 76 -o lines --save-svg man/pictures/table.svg task-pending task-running task-completed task-failed task-exception >/dev/null
	$(BIN)/tcsniff graph --demo --seed 14 --utc -n 250 -q -o lines --save-svg man/pictures/graph.svg >/dev/null || [ $$? -eq 10 ]
	$(BIN)/tcsniff task --demo --seed 4 --utc -q -o lines --save-svg man/pictures/task.svg a7DK7xG8Sw-n5sRr-VnHPg >/dev/null || [ $$? -eq 10 ]
	$(BIN)/tcsniff top --demo --seed 4 -n 900 -q --save-svg man/pictures/top.svg >/dev/null
	$(BIN)/tcsniff browse --demo --seed 4 --utc -n 420 -q --save-svg man/pictures/browse.svg >/dev/null
	$(BIN)/tcsniff browse --demo --seed 4 --utc -n 520 -q --save-svg man/pictures/browse-graph.svg WHR_mT2dRfiVGHEGNzcTVw >/dev/null || [ $$? -eq 10 ]
	$(BIN)/tcsniff browse --demo --seed 4 --utc -n 520 -q --save-svg man/pictures/browse-task.svg a7DK7xG8Sw-n5sRr-VnHPg >/dev/null || [ $$? -eq 10 ]

bench: $(READY)  ## Measure speed and memory, as ratios to limits; takes a quarter of an hour
	@.ci/rabbitmq
	$(PIP) install --group bench
	$(BIN)/python tests/benchmarks/decode.py
	$(BIN)/python tests/benchmarks $(SECTIONS)

zipapp: $(READY)  ## Build dist/tcsniff.pyz: one file with all dependencies, for this Python and platform
	$(BIN)/shiv --console-script tcsniff --python '/usr/bin/env python3' --compressed \
	  --output-file $(DIST)/tcsniff.pyz .

clean:  ## Delete what these commands have made
	rm -rf .venv dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tcsniff needs Python 3.11 or later; choose one with make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(PIP) install --upgrade 'pip>=25.1'
	$(PIP) install --editable . --group dev
	@touch $@
