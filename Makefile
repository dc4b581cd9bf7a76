# Everything a developer or an evaluator types. Needs python3 (3.11 or newer) and make; `make test` may install more.
# The Python to make the environment with; without a name the first that fits.
PYTHON ?=
# Programs are called as modules: a script in here names its Python in its first line, which some paths do not fit into.
BIN := .venv/bin
# Where it is set, each of the hundreds of processes that tests start compiles the product anew: half a second of each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo smoke test coverage faults outages upgrade-test restart-test scale events bench lint format messages venv lock upgrade sbom audit places clean

help: ## List what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/sandbox.stamp ## Start everything on this machine, with a demo tenant; Ctrl-C stops it
	@$(BIN)/python -m demo

smoke: .venv/sandbox.stamp ## Start the same without a person, send each kind both ways, exit 0 if all arrived
	@$(BIN)/python -m demo.smoke

test: .venv/dev.stamp ## Install what is missing, check the code, run every test on private servers
	@tests/system/install.sh
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m tests.system.run

coverage: .venv/dev.stamp ## Run every test, and write into build/coverage.json which lines of the product none of them ran
	@tests/system/install.sh
	@COVERED=1 $(BIN)/python -m tests.system.run

faults: .venv/dev.stamp ## Break parts by chance under traffic, then count what was lost, doubled, swapped; MINUTES=20 SEED=1
	@tests/system/install.sh
	@MINUTES="$(MINUTES)" SEED="$(SEED)" ONLY="$(ONLY)" $(BIN)/python -m tests.chaos

outages: .venv/dev.stamp ## Break parts one by one, as the tests in tests/faults say; takes twenty minutes
	@tests/system/install.sh
	@$(BIN)/python -m pytest --disable-warnings tests/faults tests/chaos

upgrade-test: .venv/dev.stamp ## Replace web and daemons of the release before one by one under traffic, then count; RATE=9 FROM=commit
	@tests/system/install.sh
	@FROM="$(FROM)" RATE="$(RATE)" $(BIN)/python -m tests.chaos.upgrade

restart-test: .venv/dev.stamp ## The same with this version itself: a rolling restart, and how long anybody was delayed
	@tests/system/install.sh
	@FROM=itself RATE="$(RATE)" $(BIN)/python -m tests.chaos.upgrade

scale: .venv/dev.stamp ## Fill a database with 1,000,000 messages and measure every read and page on it
	@$(BIN)/python -m pytest -q -s --disable-warnings tests/scale/at_scale.py

events: .venv/dev.stamp ## Tell 10,000 events to an endpoint that fails half the time, and measure what events cost messages
	@$(BIN)/python -m pytest -q -s --disable-warnings tests/scale/endpoint_events.py

bench: .venv/bench.stamp ## Measure against a limit and a usual build; ROUNDS=1 SECONDS=5 ONLY=inbound,limit for a quick look
	@tests/system/install.sh
	@ROUNDS="$(ROUNDS)" SECONDS="$(SECONDS)" ONLY="$(ONLY)" ROWS="$(ROWS)" $(BIN)/python -m bench

lint: .venv/dev.stamp ## Check style, types and which way imports point
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command as lint; lint()'

format: .venv/dev.stamp ## Put the code into the one format
	@$(BIN)/python -m ruff format .
	@$(BIN)/python -m ruff check --fix .

# Keywords of texts: `_` writes one, `_l` lays one down for later, `_n` counts, `phrase` is made where nobody reads yet.
BABEL := $(BIN)/python -m babel.messages.frontend
messages: .venv/dev.stamp ## Bring the catalogues of all languages up to the texts that the code has; what is new is empty there
	@mkdir -p build
	@$(BABEL) -q extract --mapping babel.cfg --no-default-keywords -k _ -k _l -k _n:1,2 -k phrase -k gettext -k ngettext:1,2 \
	  --add-location file --sort-output --project relay --output build/messages.pot .
	@$(BABEL) -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --previous --width 120 \
	  --input-file build/messages.pot --output-dir relay/translations

venv: .venv/dev.stamp ## Make the environment with all that development needs

lock: .venv/release.stamp ## Bring requirements/ up to what setup.cfg asks for; versions that are there stay
	@.ci/lock $(BIN)/python

upgrade: .venv/release.stamp ## The same with the newest versions
	@.ci/lock $(BIN)/python --upgrade

sbom: .venv/release.stamp ## Write build/sbom.json: what production is made of, in CycloneDX
	@.ci/sbom $(BIN)/python

audit: .venv/release.stamp ## Ask whether a vulnerability is known in anything that is installed
	@$(BIN)/python -m tests.system.audit

places: ## Try `make smoke` in folders, homes and Pythons of all kinds; as root, takes a quarter of an hour
	@tests/system/places.sh

clean: ## Remove the environment and all that was made
	@rm -rf .venv .run build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that exists is kept: what changes with the lists of requirements is installed into it.
.venv/bin/python:
	@.ci/venv "$(PYTHON)" .venv

PACKAGE := setup.cfg pyproject.toml requirements/build.txt

.venv/sandbox.stamp: $(PACKAGE) requirements/sandbox.txt | .venv/bin/python
	@echo "Installing the relay and its embedded services into .venv (a minute or two the first time)"
	@.ci/install $(BIN)/python sandbox
	@touch $@

.venv/dev.stamp: $(PACKAGE) requirements/dev.txt | .venv/bin/python
	@echo "Installing the relay, its tests and its linters into .venv (a minute or two the first time)"
	@.ci/install $(BIN)/python dev
	@touch $@ .venv/sandbox.stamp

.venv/bench.stamp: $(PACKAGE) requirements/bench.txt | .venv/bin/python
	@echo "Installing what the bench compares with into .venv"
	@.ci/install $(BIN)/python bench
	@touch $@ .venv/dev.stamp .venv/sandbox.stamp

.venv/release.stamp: $(PACKAGE) requirements/release.txt | .venv/bin/python
	@echo "Installing what a release is made with into .venv"
	@.ci/install $(BIN)/python release
	@touch $@ .venv/dev.stamp .venv/sandbox.stamp
