# `make` prints the verbs. Everything installs into .venv, and everything that runs keeps its data in .muster.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV

# For the shell, which looks only where it is needed, and once: behind a shim the start of a Python is no small thing.
PYTHON ?= $$(for it in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$it -I -S -c 'import sys; sys.version_info < (3, 11) and sys.exit(1); print(sys.executable)' 2>/dev/null && break; done)
BIN := .venv/bin
MUSTER := $(BIN)/muster

# Modules that write checked-in files: each writes them when run, and says what is stale with --check.
GENERATORS := schemas.publishing ops.schema_dump

##@ Run it
run: .venv/stack ## bring everything up, play one client's journey, leave you another's review, and stay until Ctrl-C
	@$(MUSTER) run

demo: .venv/stack ## the same journey, ending by itself; its exit code says whether all came out as expected
	@$(MUSTER) demo

up: .venv/stack ## start Kafka and Postgres in the background
	@$(MUSTER) up

down: .venv/stack ## stop them; the data stays
	@$(MUSTER) down

status: .venv/stack ## what is running, and where
	@$(MUSTER) status

reset: .venv/stack ## delete their data (asks first)
	@$(MUSTER) reset

##@ Work on it
test: check chromium ## everything that is checked, then every test; ARGS goes to pytest
	@$(BIN)/pytest -n auto --dist=worksteal $(ARGS)

# Root's machines are build servers and containers; on anybody else's the browser tests are skipped, and say so.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || \
		{ echo 'Installing Chromium for the browser tests'; apt-get -qq update && apt-get -qq install -y chromium >/dev/null; }

chaos: .venv/dev ## kill everything under load for SECONDS, and again ROUNDS times, from SEED on; prints the seeds
	@CHAOS_SECONDS=$(or $(SECONDS),60) CHAOS_ROUNDS=$(or $(ROUNDS),5) CHAOS_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/pytest -n 0 -v -s tests/chaos $(ARGS)

fuzz: .venv/dev ## let the XPM client read DOCUMENTS spoilt answers, made from SEED; prints what became of them
	@FUZZ_DOCUMENTS=$(or $(DOCUMENTS),200000) FUZZ_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/pytest -n 0 -s tests/unit/xpm/test_fuzz.py $(ARGS)

bench: .venv/stack ## measure everything beside Debezium, FastStream and Faust, and write docs/benchmarks.md; or only PARTS; half an hour
	@$(BIN)/python -m benchmarks $(ARGS) $(PARTS)

bench-quick: .venv/stack ## a minute of it, which only shows that every part runs
	@$(BIN)/python -m benchmarks --quick $(ARGS) $(PARTS)

bench-dead-letters: .venv/stack ## how usable LETTERS dead letters are, beside so many DECISIONS; takes minutes
	@$(BIN)/python -m benchmarks.dead_letters --letters $(or $(LETTERS),100000) --decisions $(or $(DECISIONS),1000000)

bench-replay: .venv/stack ## how long a lost database, and a replay beside live traffic, take for RECORDS; takes minutes
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m benchmarks.replaying --records $(or $(RECORDS),1000000)

fuzz-api: .venv/dev ## call the portal's API with EXAMPLES inputs per operation, as its OpenAPI document says
	@API_EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/pytest -n 0 -s tests/acceptance/test_portal_openapi.py $(ARGS)

screens: chromium .venv/dev ## make the pictures of the console in docs/screens again
	@kept=$$(mktemp -d) && SCREENS_TO=$$kept $(BIN)/pytest -n 0 -q tests/browser/test_accessibility.py && \
		for it in docs/screens/*.jpg; do cp "$$kept/$${it##*/}" "$$it" || exit 1; done; rm -rf "$$kept"

streams: .venv/dev ## measure two thousand dashboards that follow progress at once
	@$(BIN)/python -m benchmarks.streams $(ARGS)

bench-importer: .venv/dev ## a thousand imports at once, and 10,000 calls by four processes in windows of a second; takes minutes
	@FEW_CALLS_IMPORTS=1000 QUOTA_CALLS=10000 PARKED_PAIRS=5 $(BIN)/pytest -n 0 -v -s tests/kafka/importer/test_few_calls.py \
		tests/kafka/importer/test_parked.py tests/integration/importer/test_quota.py $(ARGS)

test-containers: .venv/dev ## the same system in containers, where an engine answers; takes minutes
	@$(BIN)/pytest -m containers tests/acceptance $(ARGS)

check: .venv/dev ## format, lint, types, layers and stale files
	@$(BIN)/ruff format --check --quiet . || { echo 'Formatting differs: make format'; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; exit 1; }
	@set -e; for it in $(GENERATORS); do $(BIN)/python -m $$it --check; done

format: .venv/dev ## format, and mend what lint can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

generate: .venv/dev ## write the files that are made from code
	@set -e; for it in $(GENERATORS); do $(BIN)/python -m $$it; done

LOCK := pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links
lock: .venv/dev ## lock what pyproject.toml, stack/jars.py and the benchmark's peers ask for; UPGRADE=--upgrade takes newer versions
	@set -e; tool=$$(mktemp -d); trap 'rm -rf "$$tool"' EXIT; \
	$(BIN)/python -m venv "$$tool"; "$$tool/bin/pip" install --quiet uv; lock="$$tool/bin/uv $(LOCK)"; \
	$$lock $(UPGRADE) pyproject.toml --all-extras --group build -o requirements/dev.txt; \
	lock="$$lock -c requirements/dev.txt"; \
	$$lock pyproject.toml --extra stack --group build -o requirements/stack.txt; \
	$$lock pyproject.toml -o requirements/services.txt; \
	$$lock --group build -o requirements/build.txt; \
	"$$tool/bin/uv" $(LOCK) benchmarks/peers/faust.in -o benchmarks/peers/faust.txt
	@$(BIN)/python -m stack.jars
	@$(BIN)/python -m benchmarks.peers.debezium_parts

clean: ## delete what can be made again: .venv and the tools' caches, not the data
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/stack .venv/dev: .venv/%:
	@python="$(PYTHON)"; [ -n "$$python" ] || { echo 'Muster needs Python 3.11 or newer, and there is none in PATH. If there is' \
		'one elsewhere, name it: make PYTHON=/path/to/python3 ...' >&2; exit 1; }; \
		$$python -I ops/environment.py $*

.PHONY: bench bench-quick bench-dead-letters bench-replay run demo up down status reset test chromium chaos bench-importer fuzz fuzz-api screens streams test-containers check format generate lock clean help .venv/stack .venv/dev
