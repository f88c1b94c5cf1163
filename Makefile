# Two commands for a newcomer: make recommend, make test. Both make what they need first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: recommend test test-tensorflow lint types layers check bench lock clean

recommend: $(VENV)/.ready
	$(BIN)/python main.py

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest

# The model tests on the other backend; give it an environment of its own: VENV=.venv-tensorflow.
test-tensorflow: $(VENV)/.ready-dev requirements/tensorflow.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/tensorflow.txt
	KERAS_BACKEND=tensorflow $(BIN)/python -m pytest tests/towers tests/retrieval tests/ranking tests/conformance tests/test_seed.py

check: lint types layers test

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready-dev
	$(BIN)/pyright --pythonpath $(BIN)/python

layers: $(VENV)/.ready-dev
	$(BIN)/lint-imports

# Speed and size; FULL=1 for the sizes of docs/performance.md, DATA_1M=ml-1m.zip for what needs it.
bench: $(VENV)/.ready-dev
	$(BIN)/python benchmarks/everything.py $(if $(FULL),--full) $(if $(DATA_1M),--data-1m $(DATA_1M))

EXTRAS := --extra report --extra tune --extra serve
COMPILE = $(BIN)/uv pip compile pyproject.toml requirements/build.in --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet --upgrade

# The pinned versions, with hashes and without an index URL; run it after a change of pyproject.toml.
lock: $(VENV)/.ready-dev
	$(COMPILE) --output-file requirements/base.txt
	$(COMPILE) $(EXTRAS) --constraint requirements/base.txt --output-file requirements/all.txt
	for extra in dev tensorflow; do \
	  $(COMPILE) $(EXTRAS) --extra $$extra --constraint requirements/all.txt \
	    --output-file requirements/$$extra.txt || exit 1; \
	done
	$(COMPILE) --extra serve --extra postgres --constraint requirements/dev.txt \
	  --output-file requirements/serve.txt

$(VENV)/.ready: requirements/all.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/all.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements/dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	touch $@

clean:
	rm -rf $(VENV)
