#!/bin/sh
# Run pytest; run what failed once more, alone. Usage: suite.sh PYTHON CACHE_DIR PYTEST_ARGUMENT…
# On a loaded machine, a test that waits for other processes can fail. The second run reports such a
# test; more than five failures, or a repeated one, fail the suite.
set -u

python=$1 cache=$2
shift 2
failed=$cache/v/cache/lastfailed
rm -f "$failed"
"$python" -m pytest -o cache_dir="$cache" "$@"
code=$?
[ $code = 1 ] || exit $code

count=$("$python" scripts/failed.py "$failed") || exit 1
[ "$count" -le 5 ] || exit 1
echo "$count failed; running these again, one at a time"
exec "$python" -m pytest -o cache_dir="$cache" "$@" \
  -n 0 -v --last-failed --last-failed-no-failures=none
