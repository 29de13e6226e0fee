#!/bin/sh
# Install and build the examples that need packages of npm. The package tokenwire is installed into
# them as npm pack makes it. An example that cannot be installed is reported; its tests are skipped.
set -eu

PATH="$PWD/.venv/bin:$PATH"
export PATH NEXT_TELEMETRY_DISABLED=1
npm run --silent prepare --prefix clients/js
for example in react-vite next-ai-sdk; do
  cd "examples/$example"
  if npm ci --silent --no-audit --no-fund --ignore-scripts; then
    npm run --silent build
  else
    rm -rf node_modules
    echo "could not install examples/$example: its tests will be skipped" >&2
  fi
  cd ../..
done
