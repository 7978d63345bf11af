# Every target works on a fresh clone; each installs what it needs, once.
# "make PYTHON=python3.13 setup" picks another interpreter for .venv.

PYTHON ?= python3
PORT ?= 8000
PYTEST_ARGS ?=
# Two tests at a time: a third browser and database server would only wait for memory.
WORKERS ?= 2
CHROMIUM ?=
export PORT CHROMIUM

# Nothing of the caller's Python set-up may leak into ours.
unexport PYTHONPATH PYTHONHOME PYTHONOPTIMIZE PYTHONSAFEPATH PYTHONSTARTUP PYTHONWARNINGS
unexport VIRTUAL_ENV PIP_PREFIX PIP_TARGET PIP_USER FLASK_APP FLASK_DEBUG GUNICORN_CMD_ARGS

SHELL := /bin/sh
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
CODE := app.py adminsite migrations tests $(wildcard bench)
RULES := adminsite/operations/*,adminsite/permissions.py,adminsite/audit.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sort | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

# --- the environment: stamps make a second start quick ------------------------------

.venv/made:
	@scripts/make-venv '$(PYTHON)' .venv
	@touch $@

.venv/run: requirements/run.txt | .venv/made
	@echo 'Installing what the server needs ...'
	@$(PIP) install --require-hashes --requirement $<
	@touch $@

.venv/dev: requirements/dev.txt requirements/run.txt | .venv/made
	@echo 'Installing what development needs ...'
	@$(PIP) install --require-hashes --requirement $<
	@touch $@ .venv/run

.PHONY: setup
setup: .venv/dev ## Make .venv with everything development needs
	@echo 'Ready: . .venv/bin/activate'

.PHONY: system
system: .venv/dev
	@scripts/install-system-packages

# --- running ------------------------------------------------------------------------

.PHONY: demo
demo: .venv/run ## Serve the demo on 127.0.0.1:$PORT
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec scripts/demo

.PHONY: bench
bench: system ## Run the benchmark
	@$(BIN)/python -m bench

# --- checking -----------------------------------------------------------------------

.PHONY: test
test: system ## Run all tests (PYTEST_ARGS="-k 'links and sqlite'" for some)
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) $(PYTEST_ARGS)

FUZZ_EXAMPLES ?= 500
FUZZ_SEED ?= $(shell date +%Y%m%d)

.PHONY: fuzz
fuzz: system ## Try much more at random (FUZZ_EXAMPLES=500 FUZZ_SEED=1)
	@echo 'Up to $(FUZZ_EXAMPLES) examples of each kind, with the seed $(FUZZ_SEED) ...'
	@FUZZ_EXAMPLES='$(FUZZ_EXAMPLES)' FUZZ_SEED='$(FUZZ_SEED)' \
		$(BIN)/python -m pytest -q --hypothesis-seed='$(FUZZ_SEED)' \
		-k 'keep_to_the_document or at_random' tests/api/test_openapi.py \
		tests/operations/test_ledger_at_random.py tests/operations/test_people_at_random.py

.PHONY: check
check: lint types contracts templates css-check drift ## Everything CI runs
	@$(MAKE) --no-print-directory test PYTEST_ARGS='--cov --cov-report=term $(PYTEST_ARGS)'
	@$(BIN)/coverage report --include='$(RULES)' --fail-under=100 --format=total >/dev/null || \
		{ $(BIN)/coverage report --include='$(RULES)'; echo 'Rules need full coverage.'; exit 1; }

.PHONY: lint
lint: .venv/dev ## Check format and style of the code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: format
format: .venv/dev ## Format the code and apply safe fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: .venv/dev ## Check the types
	$(BIN)/mypy $(CODE)

.PHONY: contracts
contracts: .venv/dev ## Check who imports whom
	$(BIN)/lint-imports

.PHONY: templates
templates: .venv/dev ## Check the templates
	$(BIN)/djlint --lint --quiet templates

.PHONY: drift
drift: system ## Compare the migrations with the models, on both databases
	@$(BIN)/python -m pytest -q tests/test_migrations.py

# --- made files ---------------------------------------------------------------------

# Not "npm ci": it wants the lock to name the compiler of every platform there is, and an
# index may lack those that nobody here has. The versions and hashes are the lock's all the same.
.PHONY: css
css: ## Rebuild the committed style sheet (needs Node)
	@cd adminsite/assets && npm install --no-save --ignore-scripts --no-audit --no-fund && npm run build

.PHONY: css-check
css-check:
	@scripts/check-css

.PHONY: lock
lock: .venv/dev ## Write requirements/*.txt anew from pyproject.toml
	@scripts/lock

.PHONY: clean
clean: ## Remove .venv and what the tools left behind
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov
