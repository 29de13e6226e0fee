#!/bin/sh
# On the other Pythons that the machine has, the tests that depend on Python: all that need no
# other process, and those that start Python as Lambda or a shell does. Databases, browsers and other
# languages' clients do not care which Python we run. Usage: other_pythons.sh WORKERS
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
