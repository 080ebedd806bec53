# The two commands of the README are `make demo` and `make test`; everything that they need they install into .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMPS := .venv/stamps
DEMO ?= demo
export OMP_NUM_THREADS ?= 2

.PHONY: demo test slow check format lint types bench doctor clean

demo: $(STAMPS)/run  ## the main job on a sample video
	@video=$$($(BIN)/python tools/sample_video.py) && \
	  $(BIN)/pointlight predict "$$video" --out $(DEMO) && \
	  echo && echo "Open $(DEMO)/overlay.mp4 with any video player; docs/output.md says what is in $(DEMO)/poses.npz."

test: $(STAMPS)/test  ## the whole fast suite
	$(BIN)/python -m pytest -q

slow: $(STAMPS)/test  ## the long tests
	$(BIN)/python -m pytest -q -m slow

check: $(STAMPS)/dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: $(STAMPS)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMPS)/test  ## every benchmark, each printing its table
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

doctor: $(STAMPS)/run
	$(BIN)/pointlight doctor

clean:
	rm -rf .venv demo .pytest_cache .ruff_cache

$(STAMPS)/run: pyproject.toml constraints.txt tools/install.sh
	PYTHON="$(PYTHON)" sh tools/install.sh run
	@touch $@

$(STAMPS)/test: $(STAMPS)/run
	PYTHON="$(PYTHON)" sh tools/install.sh test
	@touch $@

$(STAMPS)/dev: $(STAMPS)/test
	PYTHON="$(PYTHON)" sh tools/install.sh dev
	@touch $@
