# Cold Start. `make help` lists what there is; CONTRIBUTING.md says when to use what.

# `make lab ARGS="--no-browser --port 9000"` hands options on to `coldstart lab`.

# The first of these that is Python 3.11 to 3.14 makes the environment; `make setup PYTHON=/path/to/python3.12` overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.14 python3.12 python3.11; do \
            "$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
COLDSTART := $(BIN)/coldstart
# Says that the environment is whole, and for which folder: an environment that was moved is made anew.
STAMP := $(VENV)/.coldstart-setup
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
$(shell rm -f $(STAMP))
endif

LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --no-emit-index-url --custom-compile-command "make lock" --quiet
# What lives in an environment of its own, because the course's cannot have it; each is locked beside its .in file.
APART := site/browser site/zensical tools/aws benchmarks/peers/jupyterlite benchmarks/peers/jupyterlite-kernel benchmarks/peers/ministack benchmarks/peers/python-lambda-local

# Many containers set this. Without bytecode, every kernel and every process of a test compiles moto and botocore anew: that takes
# longer than all else together.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup lab tools test check types format lint spelling contract build site npm zensical bench lock nbval platforms

help: ## Say what there is
	@echo "Cold Start: an executable course on AWS Lambda."
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo
	@echo "New here? Start with: make lab"

setup: $(STAMP) ## Make the environment (.venv) from requirements.lock
	@echo "The environment is ready: $(VENV)"

$(STAMP): requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))'; then \
	  echo "Cold Start needs Python 3.11, 3.12, 3.13 or 3.14. Found: $$(python3 --version 2>&1 | head -n 1)."; \
	  echo "Install one of these, or name one you have: make setup PYTHON=/path/to/python3.12"; exit 1; fi
	@echo "[1/4] Python environment: $(VENV), with $$("$(PYTHON)" --version)"
	@if [ ! -e $(STAMP) ] && ! "$(PYTHON)" -m venv --clear $(VENV); then \
	  rm -rf $(VENV); echo "This Python cannot make a virtual environment."; \
	  echo "On Debian and Ubuntu: sudo apt-get install python3-venv. Then run the same command again."; exit 1; fi
	@rm -f $(STAMP) $(VENV)/synced
	@echo "[2/4] uv, the installer"
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@echo "[3/4] packages, checked against the hashes in requirements.lock"
	@{ $(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements.lock 2>&1 && touch $(VENV)/synced; } | grep -v '^ [+] '; \
	  test -e $(VENV)/synced
	@echo "[4/4] the course itself"
	@$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation --editable .
	@printf '%s' "$(CURDIR)" > $(STAMP)

lab: $(STAMP) ## Open the course in JupyterLab
	@$(COLDSTART) lab $(ARGS)

# What deploys functions, in environments of its own: for the lessons about it, and for their tests.
tools: $(STAMP) ## Install sam, aws and osls, the tools that deploy functions
	@$(COLDSTART) tools

test: check $(VENV)/zensical npm ## Prove everything: checks, rebuild, tests, every notebook (about 4 minutes on two cores)
	@$(COLDSTART) tools || [ "$$CI" != true ]
	@$(MAKE) --no-print-directory nbval TESTS=tests

# With `build --check --no-run` in `check`, this shows that building again changes nothing: that compares cells and pages, this what
# every cell prints. The notebooks run in a copy: their cells write files beside themselves. TESTS names tests to run beside them.
nbval: $(STAMP)
	@if ! ls notebooks/*.ipynb solutions/*.ipynb >/dev/null 2>&1; then \
	  echo "There are no notebooks to prove in notebooks/ and solutions/. Build them: make build"; exit 1; fi
	@rm -rf .nbval && mkdir -p .nbval/notebooks .nbval/solutions
	@cp notebooks/*.ipynb .nbval/notebooks/ && cp solutions/*.ipynb .nbval/solutions/
	@SOURCE_DATE_EPOCH=0 $(BIN)/python -m pytest --rootdir . .nbval $(TESTS) -p nbval --nbval --nbval-current-env \
	  --nbval-sanitize-with src/coldstart/course/nbval_sanitize.cfg --nbval-cell-timeout 60 \
	  -n 4 --dist loadfile --no-loadscope-reorder
	@rm -rf .nbval

check: $(STAMP) ## Format, lint, types, spelling, the contract of the lessons (seconds)
	@$(MAKE) --no-print-directory --jobs 2 --keep-going types format lint spelling contract

types:
	@$(BIN)/mypy
format:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff format --check --line-length 78 lessons/*/lesson.md
lint:
	@$(BIN)/ruff check .
spelling:
	@git ls-files --cached --others --exclude-standard -z | xargs -0 $(BIN)/codespell
contract:
	@$(COLDSTART) build --check --no-run

build: $(STAMP) ## Build notebooks, solutions and the site's lesson pages from lessons/
	@$(COLDSTART) build

site: $(STAMP) npm ## Build the site into site/build
	@$(COLDSTART) site

# The site's fonts, Pyodide and the like come by npm. Without npm, or without a network, the same pages are built without them.
npm:
	@if command -v npm >/dev/null && [ ! node_modules/.package-lock.json -nt package-lock.json ]; then \
	  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=0 || true; fi

# The same pages under the engine that succeeds the site's present one; it has an environment of its own.
zensical: $(VENV)/zensical
	@$(BIN)/python -m pytest tests/site/test_zensical.py

$(VENV)/zensical: site/zensical.lock | $(STAMP)
	@rm -rf $@
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --target $@ --require-hashes --requirements site/zensical.lock && touch $@

# `make bench ARGS="warm cold --rounds 10"` asks some of the questions; `make bench ARGS=--help` lists them.
bench: $(STAMP) ## Measure speed side by side with its peers and print the tables
	@$(BIN)/python -m benchmarks $(ARGS)

lock: $(STAMP) ## Take the newest versions into requirements.lock and the other locks
	@$(LOCK) pyproject.toml --extra dev --upgrade --generate-hashes --output-file requirements.lock
	@$(LOCK) pyproject.toml --extra dev --constraints requirements.lock --no-annotate --output-file constraints.txt
	@for name in $(APART); do $(LOCK) $$name.in --upgrade --generate-hashes --output-file $$name.lock || exit 1; done
	@if command -v npm >/dev/null; then \
	  cd tools/osls && npm update --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel=error; \
	  else echo "There is no npm here: tools/osls/package-lock.json stays as it is."; fi
	@$(MAKE) --no-print-directory platforms

# What environment.yml installs has a wheel for every package on every platform, so that nobody needs a compiler.
# awslambdaric is the exception: outside Linux its source package installs as plain Python.
platforms: $(STAMP)
	@for platform in linux macos windows; do \
	  $(BIN)/uv pip compile pyproject.toml --constraints constraints.txt --python-version 3.13 \
	    --python-platform $$platform --only-binary :all: --no-binary awslambdaric --quiet --output-file $(VENV)/$$platform.txt \
	  && echo "resolves on $$platform: $$(grep -c '^[a-z]' $(VENV)/$$platform.txt) packages" || exit 1; done
