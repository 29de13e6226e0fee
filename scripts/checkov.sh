#!/bin/sh
# checkov, in an environment of its own, pinned with hashes: `make test-sam` holds the template's
# findings against the table in docs/deploy.md.
set -eu

sh scripts/setup.sh tools
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
.cache/tools/bin/uv venv --quiet --clear .cache/checkov
.cache/tools/bin/uv pip install --quiet --require-hashes --python .cache/checkov/bin/python \
  -r scripts/requirements/checkov.txt
