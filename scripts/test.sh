#!/bin/sh
# Every test, with the branch coverage gate; then, on the other Pythons that are here, the tests
# that depend on Python. Usage: test.sh, or test.sh fast: what needs no other process.
# WORKERS is how many run at a time: two per core, since tests wait as much as they compute.
set -u

python=.venv/bin/python
cores=$(getconf _NPROCESSORS_ONLN)
workers=${WORKERS:-$((cores * 2))}
elsewhere="not serial and not sam and not judge and not example"

if [ "${1:-}" = fast ]; then
  exec "$python" -m pytest -q -n "$workers" --dist loadgroup \
    -m "not outside and not timed and not slow and $elsewhere"
fi

# Run a part beside the next one, from the files that name its marker. (timeout passes a signal on
# to all processes that it started.) Usage: start_beside MARKER PYTEST_ARGUMENT…
start_beside() {
  part=$1
  shift
  files=$(grep -rlE "pytest\.mark\.$part\b" tests --include='test_*.py')
  # shellcheck disable=SC2086
  timeout 1200 sh scripts/suite.sh "$python" ".cache/pytest-$part" -q -m "$part" "$@" $files \
    >".cache/$part.log" 2>&1 &
  beside=$!
  trap 'kill $beside 2>/dev/null' EXIT
}

# Wait for that part, and show what it printed. Usage: end_beside STATUS_OF_THE_OTHER_PART
end_beside() {
  wait "$beside"
  code=$?
  trap - EXIT
  echo "Tests marked $part:"
  cat ".cache/$part.log"
  [ "$1" = 0 ] && [ "$code" = 0 ] || exit 1
}

rm -f .coverage .coverage.*
sh scripts/other_pythons.sh prepare >/dev/null 2>&1 &
start_beside serial -n 0
sh scripts/suite.sh "$python" .pytest_cache -n "$workers" --dist loadgroup -q \
  -m "not timed and $elsewhere" --cov --cov-append --cov-report= --cov-fail-under=0
end_beside $?

start_beside timed -n 2 --dist loadgroup
sh scripts/other_pythons.sh "$cores"
end_beside $?

exec "$python" -m coverage report
