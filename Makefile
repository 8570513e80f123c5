# Targets for people; the work is done by the scripts in tools/. `make` alone lists them.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
PY := .venv/bin/python

.PHONY: help run setup test check fmt bench growth shares soak faults axe office fuzz lock sbom upgrade i18n clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '%-16s %s\n' "$$name" "$$text"; done

run: ## set up what is missing, load the demo company once, start the portal (PORT, HOST, DATA_DIR …)
	@sh tools/setup.sh runtime
	@exec .venv/bin/portal run --demo

setup: ## only set up what running needs: system packages, virtual environment, translations
	@sh tools/setup.sh runtime

test: ## all tests: SQLite, PostgreSQL, browser
	@sh tools/setup.sh test
	@exec $(PY) tools/run_tests.py $(ARGS)

check: ## linters, types, import rules, house rules, translations, known weaknesses
	@sh tools/setup.sh dev
	@exec $(PY) tools/check.py $(ARGS)

fmt: ## format the code
	@sh tools/setup.sh dev
	@$(PY) -m ruff check -q --fix-only . && $(PY) -m ruff format -q .

bench: ## measure the pages with 200,000 customers; writes bench/results.json
	@sh tools/setup.sh test
	@exec $(PY) -m bench $(ARGS)

growth: ## the same pages with 20,000 and with 200,000 customers; writes bench/growth_results.json
	@sh tools/setup.sh test
	@exec $(PY) -m bench.growth $(ARGS)

shares: ## whose code the processor time of the pages goes to; writes bench/shares_results.json
	@sh tools/setup.sh test
	@exec $(PY) -m bench.shares $(ARGS)

soak: ## thirty people at work for half an hour; writes bench/soak_results.json
	@sh tools/setup.sh test
	@exec $(PY) -m bench.soak $(ARGS)

faults: ## fault experiments: kills, full disks, wrong clocks, lost writes; prints their figures
	@sh tools/setup.sh test
	@PORTAL_FAULTS=full exec $(PY) -m pytest -s tests/faults $(ARGS)

axe: ## every page through axe-core, light on a desk and dark on a phone
	@sh tools/setup.sh test
	@PORTAL_AXE=full exec $(PY) -m pytest -s tests/browser/test_axe.py $(ARGS)

office: ## exported spreadsheets opened in LibreOffice
	@sh tools/setup.sh test
	@PORTAL_OFFICE=1 exec $(PY) -m pytest -s tests/unit/test_spreadsheets_office.py $(ARGS)

fuzz: ## invented input for all parsers, other at each run (PORTAL_FUZZ: how many of each)
	@sh tools/setup.sh test
	@PORTAL_FUZZ=$${PORTAL_FUZZ:-2000} exec $(PY) -m pytest tests/property/test_hostile_parsers.py tests/access/test_fuzz.py $(ARGS)

lock: ## write the lock files anew after a change in setup.cfg
	@sh tools/setup.sh dev
	@sh tools/lock.sh

sbom: ## write the bill of materials (CycloneDX) to sbom.json
	@sh tools/setup.sh dev
	@exec $(PY) tools/sbom.py --output sbom.json

upgrade: ## take the newest versions into the lock files
	@sh tools/setup.sh dev
	@sh tools/lock.sh --upgrade

i18n: ## extract messages, update and compile the translations
	@sh tools/setup.sh dev
	@$(PY) tools/i18n.py extract && $(PY) tools/i18n.py update && $(PY) tools/i18n.py compile && $(PY) tools/i18n.py check

clean: ## remove what can be made again (the virtual environment and caches; never the data folder)
	@rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis htmlcov reports .coverage .coverage.*
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find portal plugins -name '*.mo' -delete
