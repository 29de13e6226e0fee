#!/bin/sh
# The same tests on Python 3.13, where the machine has one.
set -eu

if ! found=$(sh scripts/find_python.sh 3.13); then
  echo "skipped: there is no python3.13 on this machine"
  exit 0
fi
export UV_PROJECT_ENVIRONMENT=.cache/python313 UV_PYTHON_DOWNLOADS=never
.cache/tools/bin/uv sync --quiet --frozen --extra server --python "$found"
# Once behind one door is enough here; other languages' clients, and a store's
# other processes, do not care which Python we run.
exec sh scripts/suite.sh .cache/python313/bin/python .cache/pytest313 -q -m 'not serial and not sam and not judge' -k 'not function_url' \
  --ignore tests/e2e --ignore tests/web --ignore tests/matrix/test_node_clients.py \
  --ignore tests/stores/test_processes.py --ignore tests/stores/test_units.py
