#!/bin/sh
# Install Open WebUI into .cache/open-webui (1.1 GB), pinned with hashes. What its local models need
# (torch, transformers and more, several GB more) is left out: the example does not use them.
set -eu

sh scripts/setup.sh tools
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
.cache/tools/bin/uv venv --quiet --clear .cache/open-webui
.cache/tools/bin/uv pip install --quiet --require-hashes --no-deps --only-binary :all: \
  --python .cache/open-webui/bin/python -r scripts/requirements/open-webui.txt
