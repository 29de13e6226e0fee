#!/bin/sh
# The SAM CLI, in an environment of its own: its dependencies would fight with ours.
set -eu

sh scripts/setup.sh tools
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
.cache/tools/bin/uv venv --quiet --clear .cache/sam
.cache/tools/bin/uv pip install --quiet --require-hashes --python .cache/sam/bin/python \
  -r scripts/requirements/sam.txt
