#!/bin/sh
# Coverage-guided fuzzing for `make fuzz`: FUZZ_SECONDS per target, at most an hour in total.
# FUZZ_TARGETS selects targets. New inputs that reach new code are saved in .cache/fuzz-corpus; useful
# ones are copied to tests/fuzz/corpus by hand. A failing input is reported and ends the run.
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
