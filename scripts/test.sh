#!/bin/sh
# Every test, with the branch coverage gate, and on the other Pythons that are here the tests that
# depend on Python. Usage: test.sh, or test.sh fast: what needs no other process.
# WORKERS is how many run at a time: two per core, since tests wait as much as they compute.
set -u

python=.venv/bin/python
cores=$(getconf _NPROCESSORS_ONLN)
workers=${WORKERS:-$((cores * 2))}
elsewhere="not serial and not sam and not judge and not example"
measured="--dist loadgroup -q --cov --cov-append --cov-report= --cov-fail-under=0"
# These compute, or wait in virtual time: no test among them has a deadline to keep.
computing="tests/dialects tests/fuzz tests/matrix tests/model tests/plugins tests/streams
  tests/test_error_codes.py tests/test_imports.py tests/test_patterns.py tests/test_redaction.py
  tests/test_sse.py"

# Start a part of the suite beside what follows. (timeout passes a signal on to all processes that
# it started.) Usage: start_beside NAME COMMAND…
beside=""
start_beside() {
  name=$1
  shift
  timeout 1800 "$@" >".cache/$name.log" 2>&1 &
  beside="$beside $name:$!"
  trap 'for part in $beside; do kill "${part#*:}"; done 2>/dev/null' EXIT
}

# Wait for these parts, and show what they printed. Sets status to 1 if one of them has failed.
end_beside() {
  for part in $beside; do
    wait "${part#*:}" || status=1
    echo "Tests beside it, ${part%:*}:"
    cat ".cache/${part%:*}.log"
  done
  beside=""
}

# Run the tests with this marker, from the files that name it. Usage: marked MARKER PYTEST_ARGUMENT…
marked() {
  part=$1
  shift
  files=$(grep -rlE "pytest\.mark\.$part\b" tests --include='test_*.py')
  # shellcheck disable=SC2086
  sh scripts/suite.sh "$python" ".cache/pytest-$part" -q -m "$part" "$@" $files
}

case "${1:-}" in
  fast)
    exec "$python" -m pytest -q -n "$workers" --dist loadgroup \
      -m "not outside and not timed and not slow and $elsewhere"
    ;;
  serial)
    marked serial -n 0
    exit
    ;;
  background)
    # shellcheck disable=SC2086
    COVERAGE_FILE="$PWD/.cache/computing.coverage" \
      sh scripts/suite.sh "$python" .cache/pytest-computing -n "$cores" $measured \
      -m "not timed and $elsewhere" $computing || exit
    exec sh scripts/other_pythons.sh "$cores"
    ;;
esac

status=0
rm -f .coverage .coverage.* .cache/computing.coverage*
sh scripts/other_pythons.sh prepare >/dev/null 2>&1 &
start_beside serial sh scripts/test.sh serial
# With the lower priority it takes the time in which the others wait.
start_beside background nice -n 10 sh scripts/test.sh background
# shellcheck disable=SC2046,SC2086
sh scripts/suite.sh "$python" .pytest_cache -n "$workers" $measured \
  -m "not timed and $elsewhere" $(printf -- '--ignore=%s ' $computing) || status=1
# These have real leases and deadlines, which the background leaves to them.
[ "$status" != 0 ] || marked timed -n 3 --dist loadgroup || status=1
end_beside
[ "$status" = 0 ] || exit 1

"$python" -m coverage combine --quiet --append .cache/computing.coverage &&
  "$python" -m coverage report
