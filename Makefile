# Two commands do it all on a fresh machine with Python >= 3.11:  make app   make test
PYTHON ?= python3
PORT ?= 8501
JOBS ?= 2
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: app test slow lint docs format install clean

app: install
	$(BIN)/workbench app --port $(PORT) --with-demo

test: lint
	$(BIN)/python -m pytest -m "not slow" -n $(JOBS)

slow: install
	$(BIN)/python -m pytest -m slow

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# the reference and the guides: open site/index.html, no server and no network is needed
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("error: Python 3.11 to 3.13 is needed, this is " + sys.version.split()[0] + "; give another: make PYTHON=python3.12") if not (3, 11) <= sys.version_info < (3, 14) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,docs,faces]'
	touch $(STAMP)

clean:
	rm -rf .venv demo site
