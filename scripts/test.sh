#!/bin/sh
# Every test, with the branch coverage gate; then, on the other Pythons that are here, the tests
# that depend on Python. Usage: test.sh, or test.sh fast: what needs no other process.
# WORKERS is how many run at a time: two per core, since tests wait as much as they compute.
set -u

python=.venv/bin/python
workers=${WORKERS:-$(($(getconf _NPROCESSORS_ONLN) * 2))}
parallel="-n $workers --dist loadgroup"
elsewhere="not serial and not sam and not judge and not example"

if [ "${1:-}" = fast ]; then
  # shellcheck disable=SC2086
  exec "$python" -m pytest -q -n "$(getconf _NPROCESSORS_ONLN)" --dist loadgroup \
    -m "not outside and not timed and not slow and $elsewhere"
fi

rm -f .coverage .coverage.*
# shellcheck disable=SC2086
sh scripts/suite.sh "$python" .pytest_cache $parallel -q \
  -m "not timed and $elsewhere" --cov --cov-append --cov-report= --cov-fail-under=0 || exit 1
sh scripts/suite.sh "$python" .pytest_cache -n 2 --dist loadgroup -q \
  -m "timed and $elsewhere" --cov --cov-append --cov-report= --cov-fail-under=0 || exit 1
sh scripts/other_pythons.sh "$workers" || exit 1
exec "$python" -m pytest -q -m serial --cov --cov-append --cov-report=term
