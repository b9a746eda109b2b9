# Two commands do it all: `make demo` shows what dockertls does, `make test` runs everything that can run here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
CRASH := tests/e2e/test_crash.py tests/e2e/test_faults.py tests/e2e/test_states.py tests/laws/test_killed.py tests/laws/test_followed.py

.PHONY: demo test crash check bench newer-dockerd older-go dockerode clean

demo: $(VENV)/run
	$(BIN)/dockertls rehearse

test: $(VENV)/test
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)  # hosts are waited for: two files at a time

crash: $(VENV)/test
	$(BIN)/pytest --every=1 --require=busybox --require=root --require=strace $(CRASH) $(ARGS)

check: $(VENV)/check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_architecture.py -q

bench: $(VENV)/test
	$(BIN)/python -m tests.bench

newer-dockerd:  # for --validate, which Debian 12's dockerd has not
	$(PYTHON) -m tests.e2e.newer

older-go: $(VENV)/run  # for what only one release of Go refuses
	$(BIN)/python -m tests.e2e.older_go

dockerode:  # Docker's client for Node.js, which the npm registry has
	$(PYTHON) -m tests.e2e.dockerode

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'  # older ones know no dependency groups

$(VENV)/run: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/test $(VENV)/check: $(VENV)/%: pyproject.toml | $(VENV)/run
	$(BIN)/pip install --quiet --group $*
	touch $@
