#!/bin/sh
# The sources of Starlette, whose own tests `make suites` runs through lambda_asgi. What cannot be
# fetched is reported here, and skipped, with the reason, there.
set -eu

version=$(sed -n 's/.*starlette\[full\]==\([0-9.]*\).*/\1/p' tests/suites/programs/starlette_suite.py)
folder=.cache/suites
[ -d "$folder/starlette-$version" ] && exit 0
mkdir -p "$folder"
# The wheel has no tests. (pip comes with Python; uv downloads no sources.)
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
  --dest "$folder" "starlette==$version" &&
  tar xzf "$folder/starlette-$version.tar.gz" -C "$folder" ||
  echo "could not fetch Starlette's sources: its suite will be skipped" >&2
