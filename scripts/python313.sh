#!/bin/sh
# The same tests on Python 3.13, where the machine has one.
set -eu

found=$(command -v python3.13 || true)
for candidate in "$found" "$HOME"/.pyenv/versions/3.13*/bin/python3.13; do
  if [ -x "$candidate" ] && "$candidate" -c 'import ssl, ctypes' 2>/dev/null; then
    export UV_PROJECT_ENVIRONMENT=.cache/python313 UV_PYTHON_DOWNLOADS=never
    .cache/tools/bin/uv sync --quiet --frozen --extra server --python "$candidate"
    exec .cache/python313/bin/python -m pytest -q -m 'not serial' --ignore tests/e2e --ignore tests/web
  fi
done
echo "skipped: there is no python3.13 on this machine"
