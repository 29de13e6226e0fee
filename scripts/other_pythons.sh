#!/bin/sh
# Run the tests that depend on Python on the other installed Python versions: event loops, tasks,
# sockets, servers, processes, and what reads annotations. What is made of these, such as the routes
# and the translation of JSON, databases, browsers and clients, does not depend on the Python
# version. Usage: other_pythons.sh WORKERS, or other_pythons.sh prepare: only install the packages.
set -eu

export UV_PYTHON_DOWNLOADS=never

for version in 3.13 3.14; do
  if ! found=$(sh scripts/find_python.sh "$version"); then
    echo "skipped: there is no python$version on this machine"
    continue
  fi
  environment=.cache/python$version
  UV_PROJECT_ENVIRONMENT=$environment \
    .cache/tools/bin/uv sync --quiet --frozen --extra server --extra otel --python "$found"
  [ "$1" != prepare ] || continue
  echo "Python $version:"
  sh scripts/suite.sh "$environment/bin/python" "$environment/pytest" \
    -n "$1" --dist loadgroup -q -m "not slow and not timed and not serial and not sam and not judge and not example" \
    tests/streams tests/lambda_asgi tests/edge tests/providers/test_connection.py \
    tests/http/test_streams.py tests/http/test_context.py tests/http/test_worker.py \
    tests/e2e/test_process.py tests/test_settings.py tests/test_configuration.py \
    --ignore=tests/streams/test_framing.py --ignore=tests/edge/test_nginx.py
done
