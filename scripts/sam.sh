#!/bin/sh
# Install the SAM CLI in a separate environment: its dependencies conflict with the project's.
set -eu

sh scripts/setup.sh tools
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
.cache/tools/bin/uv venv --quiet --clear .cache/sam
.cache/tools/bin/uv pip install --quiet --require-hashes --python .cache/sam/bin/python \
  -r scripts/requirements/sam.txt
