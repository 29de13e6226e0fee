#!/bin/sh
# Build the documentation site into .cache/site/html; a broken link is an error.
set -eu

.venv/bin/python -m scripts.site .cache/site/source
.cache/docs/bin/zensical build --strict
