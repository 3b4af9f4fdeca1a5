# Everything that is done here often. `make` alone lists it; .venv is made by itself.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
export PIP_USER := 0
unexport PIP_TARGET PIP_PREFIX
# Each of the many processes would compile the source anew.
unexport PYTHONDONTWRITEBYTECODE
UV_VERSION := 0.13.9
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make pins"

.PHONY: help
help: ## list what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

.PHONY: run
run: .venv/runtime ## start the server; `PORT=8000 make run` chooses its port
	@$(BIN)/stopgap serve

.PHONY: test
test: .venv/dev ## run all tests; `make test ARGS=tests/web` runs some
	-@.ci/browser
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: check
check: .venv/dev ## what must hold besides the tests: form, lint, types, floors, docs
	@$(MAKE) --keep-going check-form check-lint check-types check-floors check-docs

.PHONY: check-form check-lint check-types check-floors check-docs
check-form: .venv/dev
	$(BIN)/python -m black --check --quiet --diff .
check-lint: .venv/dev
	$(BIN)/python -m ruff check --quiet .
check-types: .venv/dev
	$(BIN)/python -m mypy
check-floors: .venv/dev
	$(BIN)/python $(BIN)/lint-imports --no-logo
check-docs: .venv/dev
	$(BIN)/python -m pytest --quiet tests/docs

.PHONY: format
format: .venv/dev ## let ruff and Black put the code in form
	@$(BIN)/python -m ruff check --quiet --fix-only .
	@$(BIN)/python -m black --quiet .

.PHONY: pins
pins: .venv/runtime ## resolve requirements*.txt again; `make pins ARGS=--upgrade` takes what is new
	@$(PIP) install uv==$(UV_VERSION)
	@$(COMPILE) $(ARGS) --extra opentelemetry --extra s3 --extra valkey --output-file requirements.txt
	@$(COMPILE) $(ARGS) --group dev --all-extras --constraint requirements.txt \
		--output-file requirements-dev.txt

.PHONY: bench bench-peers bench-models
bench: .venv/runtime ## measure it beside other servers; `make bench ARGS=--write` keeps the tables
	@$(BIN)/python -m bench.run $(ARGS)
bench-peers: .venv/runtime ## the same, with other model servers too
	@$(BIN)/python -m bench.run --peers $(ARGS)
bench-models: .venv/dev ## the same scikit-learn model on Stopgap and on other model servers
	@$(BIN)/python -m bench.models $(ARGS)

.PHONY: soak
soak: .venv/dev ## kill, lock and load it for long: the full length of what the tests do shortly, and more
	@$(BIN)/python -m soak.run $(ARGS)

# A stamp is written last, so a set-up that was interrupted is done again. The tools come on top
# of what runs: never two installations at once in one .venv, whatever -j says.
.venv/dev: requirements-dev.txt .venv/runtime
	@echo "Installing what checks and tests ..."
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

.venv/runtime: requirements.txt .ci/set-up
	@.ci/set-up
	@touch $@

# A .venv whose Python is gone, or is not the one that PYTHON names, is made again.
export PYTHON
HERE := $(shell $(BIN)/python -V 2>/dev/null)
ifneq ($(or $(HERE),gone),$(if $(PYTHON),$(shell $(PYTHON) -V 2>/dev/null),$(HERE)))
.PHONY: .venv/runtime
endif
