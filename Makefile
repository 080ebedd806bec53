# The README's two commands are `make demo` and `make test`. Whatever a target needs it installs into .venv first.
#
#   PYTHON=/path/to/python3.11     the Python to make .venv with
#   POINTLIGHT_TORCH_INDEX=URL     where torch's CPU build is looked for; empty = only where pip looks anyway
#   POINTLIGHT_SAMPLE=video.mp4    the video of `make demo`
#   DEMO=folder                    where `make demo` writes

BIN := .venv/bin
DEMO ?= demo
INSTALL = PYTHON="$(PYTHON)" sh tools/install.sh

.PHONY: help demo test slow check format docs bench doctor clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name words; do printf '%-8s %s\n' "$$name" "$$words"; done

demo:  ## predict on a sample video, which is fetched once, and score the result
	@$(INSTALL) run
	@video=$$($(BIN)/python tools/sample_video.py) && \
	  echo "Predicting $$video" && \
	  $(BIN)/pointlight predict "$$video" --out "$(DEMO)" && \
	  echo && \
	  echo "Look at $(DEMO)/overlay.mp4 with any video player: left the video with the body on the person, right the body turned." && \
	  echo "The motion as numbers is $(DEMO)/poses.npz; docs/output.md says what is in it." && \
	  $(BIN)/python tools/score_demo.py "$(DEMO)" "$$video"

test:  ## the whole suite but for the long tests
	@$(INSTALL) test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist worksteal

slow:  ## the long tests
	@$(INSTALL) slow
	$(BIN)/python -m pytest -q -m slow

check:  ## format, lint and types, changing nothing
	@$(INSTALL) dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format:  ## format, and mend what lint can mend
	@$(INSTALL) dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs:  ## the documentation as a site, in site/
	@$(INSTALL) dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build -q

bench:  ## every benchmark, each printing its table
	@$(INSTALL) test
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

doctor:  ## what this machine has, lacks, and how to mend it
	@$(INSTALL) run
	@$(BIN)/pointlight doctor

clean:  ## remove .venv and what tools left behind
	rm -rf .venv site .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
