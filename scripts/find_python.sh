#!/bin/sh
# Print the path of a working CPython of this version, or fail. Usage: find_python.sh 3.13
set -eu

for candidate in "$(command -v "python$1" || true)" \
  "$HOME"/.pyenv/versions/"$1".*/bin/"python$1" \
  "$HOME"/.local/share/uv/python/cpython-"$1"*/bin/"python$1"; do
  if [ -x "$candidate" ] && "$candidate" -c 'import ssl, ctypes' 2>/dev/null; then
    # A version manager's shim is not an interpreter: follow it to the real one.
    "$candidate" -c 'import sys; print(sys._base_executable)'
    exit 0
  fi
done
exit 1
