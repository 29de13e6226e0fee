#!/bin/sh
# Compile an artifact's sources for the path that it will have. Usage: bytecode.sh DIR PATH [VERSION]
# /opt and /var/task are read-only: without bytecode every cold start would compile the code.
set -eu

version=${3:-3.13}
if python=$(sh "$(dirname "$0")/find_python.sh" "$version"); then
  # unchecked: the sources never change after this step.
  "$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$1" -p "$2" "$1"
else
  # To stdout: sam build displays it, and hides what a make target writes to stderr.
  echo "warning: there is no python$version here to make bytecode with; cold starts will be" \
    "about twice as long. '.cache/tools/bin/uv python install $version' gets one."
fi
