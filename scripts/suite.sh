#!/bin/sh
# Run pytest; run what failed once more, alone. Usage: suite.sh PYTHON CACHE_DIR PYTEST_ARGUMENT…
# A loaded machine can fail a test that waits for other processes. The second run names such a
# test; more than five failures, or one that repeats, fail the suite.
set -u

python=$1 cache=$2
shift 2
rm -f "$cache/v/cache/lastfailed"
"$python" -m pytest -o cache_dir="$cache" "$@"
code=$?
[ $code = 1 ] || exit $code

count=$("$python" -c "import json, sys; print(len(json.load(open(sys.argv[1]))))" \
  "$cache/v/cache/lastfailed")
[ "$count" -le 5 ] || exit 1
echo "$count failed: once more, alone"
exec "$python" -m pytest -o cache_dir="$cache" --last-failed --last-failed-no-failures=none -v "$@"
