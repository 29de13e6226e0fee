#!/bin/sh
# Run the tests that depend on the Python version on the other installed versions: tests without
# other processes, and tests that start Python as Lambda or a shell does. Tests with databases, browsers
# and clients in other languages do not depend on the version. Usage: other_pythons.sh WORKERS
set -eu

parallel="-n $1 --dist loadgroup"
rest="not timed and not slow and not serial and not sam and not judge"
export UV_PYTHON_DOWNLOADS=never

for version in 3.13 3.14; do
  if ! found=$(sh scripts/find_python.sh "$version"); then
    echo "skipped: there is no python$version on this machine"
    continue
  fi
  environment=.cache/python$version
  UV_PROJECT_ENVIRONMENT=$environment \
    .cache/tools/bin/uv sync --quiet --frozen --extra server --python "$found"
  echo "Python $version:"
  # shellcheck disable=SC2086
  sh scripts/suite.sh "$environment/bin/python" "$environment/pytest" $parallel -q \
    -m "not outside and $rest"
  # shellcheck disable=SC2086
  sh scripts/suite.sh "$environment/bin/python" "$environment/pytest" $parallel -q \
    -m "outside and $rest" tests/lambda_asgi tests/front_doors tests/e2e/test_process.py
done
