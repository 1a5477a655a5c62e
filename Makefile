# `make demo` shows what Logshed does; `make test` proves it. Both start from a fresh clone.
SHELL := /bin/bash
VENV ?= .venv
export VENV
BIN := $(VENV)/bin
# Two more than there are processors: some tests wait for servers and clocks.
WORKERS := $(shell echo $$(($$(nproc) + 2)))

.PHONY: help demo demo-live test lint types tests bench bench-redaction bench-patterns bench-detect bench-anomalies bench-answers bench-web bench-receive bench-replay docs screenshots truth truth-redaction truth-detect oracle checkov soak fuzz install clean

help:
	@echo "make demo     ingest the sample logs, ask five questions (about a minute, most of it installing)"
	@echo "make demo-live  a Redis, the live map and a replay of the sample log, until Ctrl-C"
	@echo "make test     install what tests need, then lint, types, import contracts and all tests"
	@echo "make install  only make $(VENV) with the command $(BIN)/logshed"
	@echo "make bench    measure ingest beside ClickHouse's engine and DuckDB"
	@echo "make bench-redaction  measure redaction; with RIVALS=1 beside Presidio, scrubadub and detect-secrets"
	@echo "make bench-detect  measure detection: 300 rules over 1,000,000 records"
	@echo "make bench-patterns  measure the mining of templates: lines a second, and how many are grouped rightly"
	@echo "make bench-anomalies  precision and recall of the anomaly methods on labelled series"
	@echo "make bench-answers  every question, search and gold table over 10,000,000 records, and the report"
	@echo "make bench-web  fifty who look at a dashboard at once; BENCH='LAKE --window all'"
	@echo "make bench-receive  records a second by each door, how long an answer takes, and when SQL sees them"
	@echo "make bench-replay  how late records of a replay of five minutes come, and how many a second it can emit"
	@echo "make truth    score every format on the shared truth files and write docs/truth.md"
	@echo "make truth-redaction  redact planted values and write docs/truth-redaction.md"
	@echo "make truth-detect  run the rules over the shared attack cases and write docs/truth-detect.md"
	@echo "make oracle   ask Spark, with Iceberg's own library, of a lake before and after upkeep"
	@echo "make checkov  look for what is unsafe in deploy/terraform, with Checkov"
	@echo "make soak     the tests that take minutes"
	@echo "make screenshots  take the pictures of README anew"
	@echo "make fuzz     look for bytes that decoders fail on, SECONDS=600 for each; with DECODERS='elastic splunk' those alone"
	@echo "make docs     write the generated reference pages anew"
	@echo "make clean    remove what these have made"

install: $(VENV)/.base

$(VENV)/.base: pyproject.toml tools/install
	@tools/install base
	@touch $@

$(VENV)/.dev: pyproject.toml tools/install
	@tools/install dev
	@touch $@ $(VENV)/.base

demo-live: $(VENV)/.dev
	@$(BIN)/python examples/demo_live.py

demo: $(VENV)/.base
	@$(BIN)/python examples/demo.py

test: lint types tests

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/lint-imports

tests: $(VENV)/.dev
	@tools/system-packages
	@$(BIN)/python -m compileall -q src  # once, not in each process that a test starts where nothing may write it
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST)

# What users install has no pandas, whose import would be counted; chdb brings it into $(VENV).
bench: $(VENV)/.dev $(VENV)-bench/.base
	LOGSHED_PYTHON=$(VENV)-bench/bin/python $(BIN)/python benchmarks/ingest.py $(BENCH)

$(VENV)-bench/.base: pyproject.toml tools/install
	@VENV=$(VENV)-bench tools/install base
	@touch $@

# The others bring a hundred packages with them, so they get an environment of their own.
bench-redaction: $(if $(RIVALS),$(VENV)-rivals/.base,$(VENV)/.dev)
	$(if $(RIVALS),$(VENV)-rivals,$(VENV))/bin/python benchmarks/redaction.py $(BENCH)

bench-detect: $(VENV)/.dev
	$(BIN)/python benchmarks/detect.py $(BENCH)

bench-patterns: $(VENV)/.dev
	$(BIN)/python benchmarks/patterns.py $(BENCH)

$(VENV)-rivals/.base: pyproject.toml tools/install
	@VENV=$(VENV)-rivals tools/install base
	@$(VENV)-rivals/bin/python -m pip install -q presidio-analyzer scrubadub detect-secrets
	@touch $@

bench-receive: $(VENV)/.dev
	$(BIN)/python benchmarks/receive.py $(BENCH)

bench-replay: $(VENV)/.dev
	$(BIN)/python benchmarks/replay.py $(BENCH)

bench-anomalies: $(VENV)/.dev
	$(BIN)/python benchmarks/anomalies.py $(BENCH)

bench-answers: $(VENV)/.dev
	$(BIN)/python benchmarks/answers.py $(BENCH)
	$(BIN)/python benchmarks/answers.py --rows 1000000 --report $(BENCH)
	$(BIN)/python benchmarks/answers.py --goaccess $(BENCH)

bench-web: $(VENV)/.dev
	$(BIN)/python benchmarks/web.py $(BENCH)

truth: $(VENV)/.dev
	$(BIN)/python -m tests.truth --write docs/truth.md $(TRUTH)

truth-redaction: $(VENV)/.dev
	$(BIN)/python -m tests.truth_redaction --write docs/truth-redaction.md $(TRUTH)

truth-detect: $(VENV)/.dev
	$(BIN)/python -m tests.truth_detect --write docs/truth-detect.md $(TRUTH)

# It wants an environment of its own; --skip-download keeps it from asking its makers.
checkov: $(VENV)-checkov/bin/checkov
	$< --directory deploy/terraform/aws --framework terraform dockerfile --compact --quiet --skip-download

$(VENV)-checkov/bin/checkov:
	@python3 -m venv $(VENV)-checkov
	@$(VENV)-checkov/bin/python -m pip install -q 'checkov>=3.3'

screenshots: $(VENV)/.dev
	$(BIN)/python tools/screenshots.py

soak: $(VENV)/.dev
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m soak $(PYTEST)

# What is found goes to .fuzz; tests/fuzz/keep.py brings the best of it into the corpus.
fuzz: SECONDS ?= 600
fuzz: $(VENV)/.fuzz
	nice $(BIN)/python -m tests.fuzz.run --seconds $(SECONDS) $(DECODERS)

$(VENV)/.fuzz: $(VENV)/.dev
	@tools/install fuzz
	@touch $@

# PySpark gets an environment of its own, $(VENV)-spark; without Java or PySpark it says so.
oracle: $(VENV)/.dev
	$(BIN)/python -m tests.oracle

docs: $(VENV)/.dev
	$(BIN)/python tools/reference.py
	$(BIN)/python tools/lists.py

clean:
	rm -rf $(VENV) $(VENV)-bench $(VENV)-rivals $(VENV)-spark $(VENV)-checkov build dist benchmarks/data .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .fuzz
