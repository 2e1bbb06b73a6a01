# make demo: a sample project in the browser. make test: all checks. Both set up what they need in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: demo test soak lint bench wheel clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "annotator needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/annotator demo --port $(PORT)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check annotator tests bench migrations
	$(BIN)/mypy

test: lint
	$(BIN)/python tests/chromium.py
	$(BIN)/pytest -n 2 -m "not soak"

soak: $(VENV)/installed-dev
	$(BIN)/python tests/chromium.py
	$(BIN)/pytest -n 0 -m soak

bench: $(VENV)/installed-dev
	$(BIN)/python -m bench

wheel: $(VENV)/installed-dev
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) dist build annotator-demo
