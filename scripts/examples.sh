#!/bin/sh
# Install and build the examples that need packages of npm. The package tokenwire is installed into
# them as npm pack makes it.
set -eu

PATH="$PWD/.venv/bin:$PATH"
export PATH NEXT_TELEMETRY_DISABLED=1
npm run --silent prepare --prefix clients/js
for example in react-vite next-ai-sdk; do
  (cd "examples/$example" && npm ci --silent --no-audit --no-fund --ignore-scripts && npm run --silent build)
done
