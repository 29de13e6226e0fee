#!/bin/sh
# Install the gateways of others that `make bench-peers` compares with, each in a separate place.
# One that cannot be installed is reported here; it is left out of the comparison.
set -eu

{ sh scripts/isolated.sh litellm && .cache/litellm/bin/python -m compileall -q .cache/litellm/lib; } ||
  echo "could not install LiteLLM: it will be left out" >&2

PATH="$PWD/.venv/bin:$PATH" npm ci --silent --no-audit --no-fund --prefix benchmarks/node ||
  echo "could not install Portkey's gateway: it will be left out" >&2
