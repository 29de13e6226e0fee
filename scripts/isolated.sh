#!/bin/sh
# Install a tool in a separate environment, .cache/NAME, pinned with hashes in
# scripts/requirements/NAME.txt: its dependencies conflict with the project's. Usage: isolated.sh NAME.
set -eu

sh scripts/setup.sh tools
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
.cache/tools/bin/uv venv --quiet --clear ".cache/$1"
.cache/tools/bin/uv pip install --quiet --require-hashes --python ".cache/$1/bin/python" \
  -r "scripts/requirements/$1.txt"
