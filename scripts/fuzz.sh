#!/bin/sh
# Coverage-guided fuzzing, for `make fuzz`: each target for FUZZ_SECONDS, all of them for an hour at most.
# FUZZ_TARGETS names some of them. New inputs that reach new code go to .cache/fuzz-corpus; those worth
# keeping are copied to tests/fuzz/corpus by hand. An input that fails is named, and ends the run.
set -eu

UV_PROJECT_ENVIRONMENT=.cache/fuzz .cache/tools/bin/uv sync --quiet --frozen --extra server --group fuzz
targets=${FUZZ_TARGETS:-$(.cache/fuzz/bin/python -m tests.fuzz)}
count=$(echo "$targets" | wc -w)
seconds=${FUZZ_SECONDS:-$((3600 / count))}
for target in $targets; do
  found=.cache/fuzz-corpus/$target
  mkdir -p "$found" ".cache/fuzz-crashes"
  echo "$target: $seconds s" >&2
  nice -n 19 .cache/fuzz/bin/python -m tests.fuzz "$target" "$found" "tests/fuzz/corpus/$target" \
    -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
    -artifact_prefix=".cache/fuzz-crashes/$target-"
done
