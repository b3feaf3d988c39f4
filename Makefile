# Two commands: `make run` starts the app, `make test` runs every test. `make help` lists the rest.
SHELL := /bin/sh
PORT ?= 8501
VENV := .venv
PY := $(VENV)/bin/python
# The newest Python that TensorFlow has a wheel for; PYTHON=… overrides.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' 2>/dev/null && { echo $$p; break; }; done)
STAMP := $(VENV)/.requirements
STAMP_DEV := $(VENV)/.requirements-dev
VENV_BENCH := .venv-bench
STAMP_BENCH := $(VENV_BENCH)/.requirements-bench
PIP := $(PY) -m pip install --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help run setup setup-dev test test-fast bench bench-training bench-estimate bench-scoring bench-formats bench-web bench-upload bench-range bench-screening bench-scale bench-accuracy bench-promise bench-verdicts bench-judging bench-events bench-causes screens lint locale demo clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Andon needs Python 3.11, 3.12 or 3.13; none was found. Install one, or give its path: make run PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { echo "A virtual environment could not be made; on Debian or Ubuntu install python3-venv."; exit 1; }

$(STAMP): requirements.txt | $(VENV)/bin/python
	@echo "Installing what Andon needs (about 1 GB with TensorFlow; once)"
	@$(PIP) -r requirements.txt
	@touch $@

$(STAMP_DEV): requirements-dev.txt $(STAMP)
	@$(PIP) -r requirements-dev.txt
	@touch $@

# PyTorch, for the benchmark of training alone, in an environment of its own; not made where ANDON_BENCH_PYTHON names one.
$(STAMP_BENCH): requirements-bench.txt $(STAMP)
	@test -n "$$ANDON_BENCH_PYTHON" || { echo "Installing PyTorch to compare with (about 1 GB; once)"; \
	  $(PY) -m venv $(VENV_BENCH) && $(VENV_BENCH)/bin/python -m pip install --disable-pip-version-check --quiet -r requirements-bench.txt && touch $@; }

setup: $(STAMP) ## create .venv and install requirements.txt
setup-dev: $(STAMP_DEV) ## the same, with what tests and benchmarks need

run: $(STAMP) ## start the app on http://localhost:8501 (PORT and ANDON_HOME are honoured)
	@PORT=$(PORT) $(PY) -m core serve

demo: $(STAMP) ## make the demo projects now
	@$(PY) -m core demo

test: $(STAMP_DEV) browser ## every test, the browser journeys included
	@$(PY) -m pytest -n 2 --dist loadfile

test-fast: $(STAMP_DEV) ## tests without TensorFlow and without a browser
	@$(PY) -m pytest -m "not slow and not browser"

# Chromium for the browser tests: a system one, else by apt as root, else one sentence.
.PHONY: browser
browser: $(STAMP_DEV)
	@$(PY) tests/browser/chromium.py >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    echo "Installing Chromium and a Chinese font with apt"; apt-get update -qq && apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; fi; }
	@$(PY) tests/browser/chromium.py

bench: bench-training bench-scoring bench-formats bench-web bench-screening ## every benchmark of docs/benchmarks.md (about 20 minutes)
bench-training: $(STAMP_DEV) $(STAMP_BENCH) ## live reporting against keras.fit; speed against PyTorch and PyOD
	@$(PY) -m benchmarks.training
	@ANDON_BENCH_PYTHON=$${ANDON_BENCH_PYTHON:-$(VENV_BENCH)/bin/python} $(PY) -m benchmarks.training_speed
bench-estimate: $(STAMP_DEV) ## predicted against measured memory and time of trainings
	@$(PY) -m benchmarks.estimates
bench-scoring: $(STAMP_DEV) ## ONNX scoring against keras.predict
	@$(PY) -m benchmarks.scoring
bench-formats: $(STAMP_DEV) ## workbooks, Parquet and several files in the child process
	@$(PY) -m benchmarks.formats
bench-web: $(STAMP_DEV) browser ## start, memory, reruns, click to first point, opening a demo
	@$(PY) -m benchmarks.web
bench-upload: $(STAMP_DEV) browser ## memory of the web process while 1 GB is sent to it
	@$(PY) -m benchmarks.upload
bench-range: $(STAMP_DEV) browser ## a range of a chart of 200,000 rows
	@$(PY) -m benchmarks.chart_range

bench-screening: $(STAMP_DEV) ## time and memory of the screening, from 10,000 to 10 million rows
	@$(PY) -m benchmarks.screening

bench-accuracy: $(STAMP_DEV) ## accuracy on the public data beside the published figures (hours; goes on where it stopped)
	@$(PY) -m benchmarks.accuracy

bench-promise: $(STAMP_DEV) ## false alarms of charts of scores on 23 simulated processes, and of alarm logics (about half an hour)
	@OPENBLAS_NUM_THREADS=1 $(PY) -m benchmarks.promised_rate
	@OPENBLAS_NUM_THREADS=1 $(PY) -m benchmarks.promised_alarms
bench-judging: $(STAMP_DEV) browser ## every view of a run with 200,000 and 1,000,000 scored rows: opened and clicked
	@$(PY) -m benchmarks.judging
	@$(PY) -m benchmarks.judging_web

bench-verdicts: $(STAMP_DEV) ## how often a stable process is called out of control, and one that is not (about five minutes)
	@OPENBLAS_NUM_THREADS=1 $(PY) -m benchmarks.stable_verdicts

bench-causes: $(STAMP_DEV) ## which sensor is to blame: seeded faults, and the guilty sensors of SMD (about half an hour)
	@OMP_NUM_THREADS=1 $(PY) -m benchmarks.causes
bench-events: $(STAMP_DEV) ## onset, lead and lag, and likeness of events whose truth is known (about a minute)
	@$(PY) -m benchmarks.events

bench-texts: $(STAMP_DEV) ## bag of words, GRU and attention on made inspection remarks (about half an hour)
	@$(PY) -m benchmarks.texts

bench-scale: $(STAMP_DEV) ## 10^5 to 10^7 rows through every stage: time and memory (about an hour, 15 GB of free disk)
	@$(PY) -m benchmarks.scale

screens: $(STAMP_DEV) browser ## every screen in both languages and themes to docs/screens
	@$(PY) -m benchmarks.screens

lint: $(STAMP_DEV) ## ruff and mypy
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

locale: $(STAMP_DEV) ## collect the texts for translation into assets/locale
	@$(PY) assets/locale/extract.py

clean: ## remove the virtual environment and caches
	@rm -rf $(VENV) $(VENV_BENCH) .pytest_cache .mypy_cache .ruff_cache
