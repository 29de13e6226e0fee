#!/bin/sh
# Every test, with the branch coverage gate; at the same time the suite on Python 3.13, if it is
# here. The tests that measure the whole process run alone, at the end.
set -u

log=.cache/python313.log
sh scripts/python313.sh >"$log" 2>&1 &
other=$!
trap 'kill $other 2>/dev/null' INT TERM

rm -f .coverage .coverage.*
sh scripts/suite.sh .venv/bin/python .pytest_cache \
  -m 'not serial and not sam and not judge' --cov --cov-append --cov-report=
ours=$?
wait $other
theirs=$?
echo "Python 3.13:"
cat "$log"
[ $ours = 0 ] && [ $theirs = 0 ] || exit 1

exec .venv/bin/python -m pytest -m serial --cov --cov-append --cov-report=term
