# `make help` says what there is. Everything a target needs it prepares itself; a second run is quick.
PYTHON ?= python3
SERVER ?= daphne
# More arguments for pytest, such as: make test ARGS="tests/stories -x"
ARGS ?=
# Processes that run tests; each starts services of its own. 0 runs them in one, as a debugger wants it.
WORKERS ?= 2

BIN := .venv/bin
# The checks see keys of their own, and nothing of a developer's .env file or services. So do the tests, by themselves.
ALONE := env -u REDIS_URL -u HOST -u PORT -u USHER_DEMO USHER_ENV_FILE= DATABASE_URL=sqlite:///:memory: \
	USHER_SECRET_KEY=this-key-signs-nothing-but-what-tests-make USHER_JWT_KEY=this-key-signs-no-token-but-those-of-tests

.DEFAULT_GOAL := help
.PHONY: help run page test check faults screenshots mutants fix bench bench-quick install install-development

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; \
		do printf '  make %-11s %s\n' "$$name" "$$text"; done

# umask: the database is for its owner alone. A page that cannot be built keeps nobody from the rest.
run: install ## Serve the demo on http://127.0.0.1:8000 (HOST=, PORT=, SERVER=daphne|uvicorn)
	@$(PYTHON) tools/write_secrets.py
	@$(BIN)/python -m tools.build_page || echo "Serving what there is (building ended with status $$?)"
	@umask 077; USHER_DEMO=1 $(BIN)/python manage.py migrate --verbosity 0
	@USHER_DEMO=1 $(BIN)/python manage.py load_demo
	@umask 077; USHER_DEMO=1 exec $(BIN)/python manage.py serve --server $(SERVER)

page: install ## Build the live page, which serve then shows at the root
	@$(BIN)/python -m tools.build_page

install: ## Make .venv and install what running needs
	@$(PYTHON) tools/install.py runtime

install-development:
	@$(PYTHON) tools/install.py development

test: install-development ## Run the tests, with branch coverage (ARGS= for pytest)
	@$(BIN)/python -m tools.prepare_tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered $(ARGS)

check: install-development ## Check form, types, imports, migrations and the API's schema, then run the tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(ALONE) $(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.node run lint
	$(ALONE) $(BIN)/python manage.py makemigrations --check --dry-run
	$(ALONE) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	$(MAKE) --no-print-directory test

# One process, since what is measured would suffer from a neighbour.
faults: install-development ## Run the long experiments of tests/faults, and write docs/guarantees-report.md (50 min)
	@$(BIN)/python -m tools.prepare_tests
	FAULTS=long FAULTS_REPORT=docs/guarantees-report.md $(BIN)/python -m pytest tests/faults -p no:randomly --timeout 1800 $(ARGS)

screenshots: install-development ## Take the pictures on the README anew
	@$(BIN)/python -m tools.prepare_tests
	SCREENSHOTS=1 $(BIN)/python -m pytest tests/browser/test_screenshots.py

mutants: install-development ## Put deliberate security bugs into copies, and see that the tests notice each (ARGS= for names)
	@$(BIN)/python -m tools.prepare_tests
	$(BIN)/python tools/mutants.py $(ARGS)

fix: install-development ## Mend what can be mended without thinking: form and simple faults
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/python -m tools.node run fix

# What is measured would suffer from a neighbour here, too. A C compiler is needed; peers say what they need.
bench: install-development ## Run the benchmarks, and render bench/README.md (40 min; ARGS="--shapes storm,idle")
	@$(BIN)/python -m bench.peers.install || echo "What cannot be had is left out."
	@$(ALONE) $(BIN)/python -m bench $(ARGS)

bench-quick: install-development ## Run a little of most benchmarks, without peers (3 min)
	@$(ALONE) $(BIN)/python -m bench --quick $(ARGS)
