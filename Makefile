PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test interference check fix schema golden bench bench-scale bench-connections lock clean

help: ## Print this list
	@echo "make TARGET, with TARGET one of:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(READY) ## Start the hub with its own PostgreSQL and two sister feeds, and tell the story (Ctrl-C stops it)
	@$(BIN)/hub demo $(args)

test: $(READY) ## Run the tests (t=tests/hub/test_plan.py for some of them)
	@$(BIN)/pytest -n 2 $(t)

interference: $(READY) ## Prove ten times longer than `make test` that what is hidden changes no answer
	@HUB_INTERFERENCE=10 $(BIN)/pytest -n 2 tests/interference $(t)

check: $(READY) ## Lint, format check, types, import floors
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

fix: $(READY) ## Format, and mend what the linter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schema: $(READY) ## Write schema/schema.graphql from the declared types
	$(BIN)/hub schema > schema/.schema.new
	mv schema/.schema.new schema/schema.graphql

golden: $(READY) ## Rewrite the golden SQL and answers of tests/operations (read the diff)
	$(BIN)/pytest -m golden --rewrite-golden

bench: $(READY) ## Measure the hub beside its limits and its peers (needs npm), and judge the figures to reach
	$(BIN)/python -m bench

bench-scale: $(READY) ## Measure up to a million cases, and write bench/results and tests/operations/plans
	$(BIN)/python -m bench scale

bench-connections: $(READY) ## Hold 5,000 idle subscriptions, and measure how long events take (n=1000 for fewer)
	$(BIN)/python -m bench.connections $(n)

lock: ## Resolve requirements*.in anew into the hashed lock files (needs uv)
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		requirements.in -o requirements.txt
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		requirements-dev.in -c requirements.txt -o requirements-dev.txt

clean: ## Remove the environment, the demo's data and all caches
	rm -rf .venv .demo build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: exact versions with hashes, then the project itself in place. Instant when nothing changed.
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "The hub needs Python 3.11 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`." \
		"Name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Preparing .venv (once; about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@
