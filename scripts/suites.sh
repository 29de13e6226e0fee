#!/bin/sh
# The sources of Starlette and FastAPI, whose own tests `make suites` runs through lambda_asgi. What
# cannot be fetched is reported here, and skipped, with the reason, there.
set -u

folder=.cache/suites
mkdir -p "$folder"

# The wheels have no tests. (pip comes with Python; uv downloads no sources.)
fetch() {
  version=$(sed -n "s/.*\"$1\(\[full\]\)*==\([0-9.]*\).*/\2/p" "tests/suites/programs/$1_suite.py")
  [ -d "$folder/$1-$version" ] && return
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary "$1" \
    --dest "$folder" "$1==$version" &&
    tar xzf "$folder/$1-$version.tar.gz" -C "$folder" ||
    echo "could not fetch the sources of $1: its suite will be skipped" >&2
}

fetch starlette
fetch fastapi
