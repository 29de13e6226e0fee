#!/bin/sh
# Create the Python environment with python3 only. Usage: setup.sh tools|server|dev
set -eu

TOOLS=.cache/tools
# Every tool is pinned with the hashes of its files; CONTRIBUTING.md explains how to update them.
UV_VERSION=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' scripts/requirements/tools.txt)
export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1

# Debian has the venv module in a separate package.
if ! python3 -c 'import ensurepip' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
  else
    echo "python3 has no venv module here: install python3-venv, then try again." >&2
    exit 1
  fi
fi

if ! "$TOOLS/bin/uv" --version 2>/dev/null | grep -q "uv $UV_VERSION"; then
  python3 -m venv "$TOOLS"
  "$TOOLS/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    --only-binary :all: -r scripts/requirements/tools.txt
fi

# --inexact: `make run` after `make test` must not remove the packages for tests.
case "$1" in
  tools) ;;
  server) "$TOOLS/bin/uv" sync --quiet --frozen --inexact --extra server --extra local --no-dev ;;
  dev) "$TOOLS/bin/uv" sync --quiet --frozen --extra server --extra local --extra otel ;;
  *) echo "usage: setup.sh tools|server|dev" >&2; exit 2 ;;
esac
