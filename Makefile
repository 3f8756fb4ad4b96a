# Everything here needs Python >= 3.11 and make, and installs the rest into .venv.
#
#   PYTHON=python3.12   the interpreter .venv is made with
#   PIP_ARGS="..."      extra arguments of pip install. PyPI's torch for Linux carries CUDA (several GB); to have the
#                       CPU build, name an index that offers it: PIP_ARGS="--extra-index-url URL" (pytorch.org,
#                       "Get started", tells the URL). `torch==2.13.0` in constraints.txt fits both.
PYTHON ?= python3
PIP_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test faults sandbox fuzz machine card masks law lint check format records lock reference bench clean

BIN := .venv/bin
ON_CARD := tests/unit/models tests/contract/test_exports.py tests/contract/test_bounds_brackets.py tests/contract/test_offers.py \
	tests/contract/test_shared_gradients.py tests/contract/test_scores_beside_attacks.py tests/contract/test_served_labels.py \
	tests/masks tests/e2e/test_runner.py tests/e2e/test_confinement.py tests/e2e/test_kills.py tests/e2e/sandbox/test_same_bits.py
RUN := .venv/installed-to-run
WORK := .venv/installed-to-work
LOCK := echo hatchling | $(BIN)/uv pip compile pyproject.toml - --config-file docker/uv.toml --constraint constraints.txt \
	--generate-hashes --python-platform linux --python-version 3.11.14 --no-emit-package torch --no-annotate --no-header -q

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN) ## Audit the bundled model on 20 handwritten digits, end to end; writes demo/report.html
	$(BIN)/brinell demo

test: $(WORK) ## The whole test suite
	$(BIN)/pytest -n auto --dist worksteal tests/unit tests/contract tests/laws tests/masks tests/fuzz tests/card
	$(BIN)/pytest -n $$(($$(nproc) + 1)) --dist loadfile tests/e2e tests/faults # they wait as long as they compute

faults: $(WORK) ## Ten minutes of kills, freezes and a bad network under load; SEED=7 for others (docs/faults.md)
	$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED))

fuzz: $(WORK) ## 2,000 mutated models and all handmade ones through the front door; SEED=7 for others (docs/faults.md)
	$(BIN)/python -m tests.fuzz $(if $(SEED),--seed $(SEED))

machine: $(WORK) ## The store against a small model of it, for ten minutes or so, in other orders each time
	$(BIN)/pytest --hypothesis-profile long tests/contract/store/test_machine.py

masks: $(WORK) ## All masked models in every norm, where make test tries each in one; and bounds of all networks so
	$(BIN)/pytest -n auto -m "not reference" tests/masks
	$(BIN)/pytest -n auto -m every tests/unit tests/contract

card: $(WORK) ## All that can differ on a CUDA card, and figures; skipped, with the reason, where torch finds none (docs/settings.md)
	BRINELL_DEVICE=cuda $(BIN)/pytest -n 4 --dist loadfile tests/card
	BRINELL_DEVICE=cuda $(BIN)/python -m benchmarks.card
	@if $(BIN)/python -c "import sys, torch; sys.exit(not torch.cuda.is_available())"; then \
	BRINELL_DEVICE=cuda $(BIN)/pytest -n 4 --dist loadfile $(ON_CARD); fi

law: $(WORK) ## The laws of one method, and what they cost: make law METHOD=square
	$(BIN)/pytest tests/laws tests/contract/test_method_pages.py --method $(METHOD)

sandbox: $(WORK) ## Attack the sandbox from inside a runner, as root or as who you are; docs/sandbox.md says what is tried
	$(BIN)/pytest tests/e2e/sandbox tests/e2e/test_confinement.py

lint: $(WORK) ## Format, ruff, types, import contracts, Dockerfiles, compose file; Lua where luacheck is installed
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint docker/*.Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@if command -v luacheck > /dev/null; then luacheck --quiet jobs/store/lua; \
	else echo "Lua was not linted: luacheck is not installed (Debian: apt-get install lua-check)"; fi

check: lint ## What a commit needs: lint, the tests that take no server and no patience, and the laws of what is true
	$(BIN)/pytest -n auto --dist worksteal -m "not slow and not reference" tests/unit tests/contract tests/laws/test_soundness.py

format: $(WORK) ## Put the code into the one format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

records: $(WORK) ## Write the client's records anew, after the API's own have changed
	$(BIN)/python -m tools.client_records

lock: $(WORK) ## Write the locks of the images anew, after constraints.txt or an extra has changed
	$(BIN)/pip install $(PIP_ARGS) -c constraints.txt uv
	$(LOCK) --extra service -o docker/service.lock
	$(LOCK) --extra workers --extra cpu -o docker/worker-cpu.lock
	$(LOCK) --extra workers --extra gpu -o docker/worker-gpu.lock

reference: $(WORK) ## Compare with published numbers and other libraries (data of BRINELL_BENCH_DATA)
	$(BIN)/pytest -m reference

bench: $(WORK) ## Measure against peers and raw loops; the peers get an environment of their own
	$(BIN)/python -m benchmarks

clean: ## Remove what these commands made: environments, caches, demo/
	rm -rf .venv .venv-peers demo .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	$(PYTHON) -m venv .venv

$(RUN): pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install $(PIP_ARGS) -c constraints.txt -e ".[local]"
	@touch $@

$(WORK): pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install $(PIP_ARGS) -c constraints.txt -e ".[all]"
	@touch $(RUN) $@
