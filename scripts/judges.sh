#!/bin/sh
# Test suites and mock servers made by others, for `make judges`. Versions are in the lock files.
# What cannot be installed is reported here, and skipped, with the reason, there.
set -eu

export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
UV_PROJECT_ENVIRONMENT=.cache/judges-python .cache/tools/bin/uv sync --quiet --frozen --only-group judges ||
  echo "could not install llmock and schemathesis: what needs them will be skipped" >&2

PATH="$PWD/.venv/bin:$PATH" npm ci --silent --no-audit --no-fund --prefix tests/judges ||
  echo "could not install llmprobe and aimock: what needs them will be skipped" >&2
