# Requires python3 and make only. `make` without a target lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Where to listen, if not where the settings say: make run PORT=9000.
ADDRESS = $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))
# Architecture of the Lambda function, from samconfig.toml: arm64 or x86_64.
ARCH ?= $(shell sed -n 's/^parameter_overrides.*Architecture=\([a-z0-9_]*\).*/\1/p' samconfig.toml | head -n 1)
ENV ?= default
SAM ?= .cache/sam/bin/sam
export ARCH
export SAM_CLI_TELEMETRY = 0
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
CODE := functions layers tests benchmarks examples scripts

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | \
	  awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: .venv/.dev ## install the packages for development and tests

run: .venv/.server ## serve the demo, or the models of your keys, on http://127.0.0.1:8000, or HOST and PORT
	@exec $(BIN)/tokenwire serve $(ADDRESS)

test: .venv/.dev ## run all tests with the branch coverage gate; on 3.13 and 3.14 too, if installed
	@$(MAKE) --no-print-directory -j 2 .cache/parts .cache/docs/bin/zensical
	sh scripts/test.sh

test-fast: .venv/.dev ## run the tests without browsers, containers and other processes, in a minute
	sh scripts/test.sh fast

check: .venv/.dev ## check formatting, lint and types
	$(BIN)/ruff format --check $(wildcard $(CODE))
	$(BIN)/ruff check $(wildcard $(CODE))
	$(BIN)/mypy -p tokenwire -p lambda_asgi
	$(BIN)/mypy $(wildcard tests benchmarks examples scripts)

format: .venv/.dev ## format the code and fix lint errors
	$(BIN)/ruff format $(wildcard $(CODE))
	$(BIN)/ruff check --fix $(wildcard $(CODE))

page: .cache/parts ## build the page's files in functions/proxy/tokenwire/web from page/src
	$(BIN)/node page/build.mjs

lambda: .venv/.server ## run the function as deployed, with a store, behind a local function URL
	@ENV=$(ENV) exec $(BIN)/tokenwire lambda $(ADDRESS) --reload

build: $(SAM) ## build the Lambda artifacts from the lock file
	$(SAM) build --build-in-source --config-env $(ENV)

deploy: $(SAM) .venv/.server ## deploy to your AWS account, asking what is needed: ENV=default, prod or any name; ARGS for CI
	@exec $(BIN)/python -m scripts.deploy --env $(ENV) $(ARGS)

test-sam: .venv/.dev $(SAM) .cache/checkov/bin/checkov ## run the tests with SAM CLI, containers and AWS's emulator
	sh scripts/test_sam.sh

test-examples: .venv/.dev .cache/parts .cache/examples $(if $(OPEN_WEBUI),.cache/open-webui/bin/open-webui) ## build the examples with Vite and Next.js, and drive them in Chromium; OPEN_WEBUI=1 installs and tests that too
	$(PYTEST) -m example tests/examples

judges: .venv/.dev .cache/parts .cache/judges ## run test suites, mocks and clients of other authors; WRITE=1 updates docs/judges.md
	JUDGES=$(if $(WRITE),write,compare) $(PYTEST) -n 3 --dist loadfile -m judge tests/judges tests/matrix/test_published_shapes.py

differential: .venv/.dev ## compare lambda_asgi with AWS's Rust, Node, Go and Python runtimes; WRITE=1 updates its README
	@sh scripts/differential.sh
	DIFFERENTIAL=$(if $(WRITE),write,compare) $(PYTEST) -n 0 tests/differential

suites: .venv/.dev ## frameworks, MCP's client, Starlette's and FastAPI's own suites, all through lambda_asgi
	@sh scripts/suites.sh
	$(PYTEST) -n 0 tests/suites

fuzz: .venv/.dev ## fuzz the parsers and decoders for at most an hour; FUZZ_SECONDS per target, FUZZ_TARGETS selects
	@sh scripts/fuzz.sh

soak: .venv/.dev .cache/parts ## long tests of stores: processes, kills and interleavings
	TOKENWIRE_SOAK=1 $(PYTEST) tests/model tests/stores tests/e2e/test_make_lambda.py

dist: .venv/.dev .cache/parts ## build the packages of a release, with checksums and the bill of materials, into dist
	@sh scripts/dist.sh

docs: .venv/.dev .cache/docs/bin/zensical ## build the documentation site and serve it on http://127.0.0.1:8000, or HOST and PORT
	@sh scripts/docs.sh
	@echo "The site: http://$(or $(HOST),127.0.0.1):$(or $(PORT),8000)"
	@exec $(BIN)/python -m http.server --bind $(or $(HOST),127.0.0.1) --directory .cache/site/html $(or $(PORT),8000)

bench: .venv/.dev .cache/parts ## run the measurements in the README; QUICK=1 for fewer and shorter ones
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.own
	$(BIN)/python -m benchmarks.cold_start
	$(BIN)/python -m benchmarks.stores

bench-peers: .venv/.dev .cache/parts .cache/peers ## compare with other gateways in one run; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.peers

clean: ## remove all generated files
	rm -rf examples/*/node_modules examples/*/dist examples/*/.next
	rm -rf .venv .cache .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* tests/node/node_modules page/node_modules tests/judges/node_modules benchmarks/node/node_modules tests/differential/programs/node/node_modules \
	  $(CLIENTS)/node/node_modules

# Setup. The stamp files avoid repeated installation.
.venv/.server: uv.lock pyproject.toml layers/lambda_asgi/pyproject.toml scripts/setup.sh scripts/requirements/tools.txt
	@sh scripts/setup.sh server
	@touch $@

.venv/.dev: uv.lock pyproject.toml layers/lambda_asgi/pyproject.toml scripts/setup.sh scripts/requirements/tools.txt
	@sh scripts/setup.sh dev
	@touch $@ .venv/.server

.cache/parts: .venv/.dev scripts/parts.sh tests/node/package-lock.json page/package-lock.json
	@sh scripts/parts.sh
	@touch $@

.cache/examples: .venv/.dev scripts/examples.sh $(wildcard clients/js/*.js clients/js/*.json) functions/proxy/tokenwire/web/tokenwire.js \
  $(wildcard examples/react-vite/*.* examples/react-vite/src/* examples/next-ai-sdk/*.* examples/next-ai-sdk/app/*.*)
	@sh scripts/examples.sh
	@touch $@

.cache/open-webui/bin/open-webui: scripts/open_webui.sh scripts/requirements/open-webui.txt
	@sh scripts/open_webui.sh

.cache/peers: .venv/.dev scripts/peers.sh scripts/requirements/litellm.txt benchmarks/node/package-lock.json
	@sh scripts/peers.sh
	@touch $@

CLIENTS := tests/judges/clients/programs
.cache/judges: .venv/.dev scripts/judges.sh uv.lock tests/judges/package-lock.json \
  $(CLIENTS)/node/package-lock.json $(CLIENTS)/java/pom.xml $(CLIENTS)/go/go.sum
	@sh scripts/judges.sh
	@touch $@

# Called by sam build, which sets ARTIFACTS_DIR.
build-ProxyFunction:
	@sh scripts/artifact.sh function "$(ARTIFACTS_DIR)"

build-LambdaAsgiLayer:
	@sh scripts/artifact.sh layer "$(ARTIFACTS_DIR)"

.cache/sam/bin/sam: scripts/isolated.sh scripts/requirements/sam.txt
	@sh scripts/isolated.sh sam

# The images that test-sam starts from. It gets them itself, too; CI does so beside other set-up.
.cache/sam-test/images: .venv/.dev .cache/parts scripts/test_sam.sh scripts/standin_image.sh scripts/standin_debian.sh
	@sh scripts/test_sam.sh images
	@mkdir -p $(@D) && touch $@

.cache/checkov/bin/checkov: scripts/isolated.sh scripts/requirements/checkov.txt
	@sh scripts/isolated.sh checkov || echo "checkov cannot be installed: its test will be skipped" >&2

.cache/docs/bin/zensical: scripts/isolated.sh scripts/requirements/docs.txt
	@sh scripts/isolated.sh docs

.PHONY: dist docs help setup run test test-fast test-examples check format page lambda build deploy test-sam judges fuzz soak bench bench-peers clean differential suites \
  build-ProxyFunction build-LambdaAsgiLayer
