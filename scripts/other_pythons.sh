#!/bin/sh
# Run the tests that depend on Python on the other installed Python versions: event loops, sockets,
# servers and processes. The translation of JSON, databases, browsers and clients in other languages
# do not depend on the Python version. Usage: other_pythons.sh WORKERS
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
  echo "Python $version:"
  sh scripts/suite.sh "$environment/bin/python" "$environment/pytest" \
    -n "$1" --dist loadgroup -q -m "not slow and not timed and not serial and not sam and not judge and not example" \
    tests/streams tests/lambda_asgi tests/front_doors tests/http tests/providers tests/edge \
    tests/auth tests/telemetry tests/e2e/test_process.py tests/test_*.py
done
