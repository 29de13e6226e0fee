#!/bin/sh
# Install the programs that tests and benchmarks use: Chromium, nginx, Redis, the Node SDKs, and
# DynamoDB Local where Maven can fetch it. (Valkey comes with the development dependencies.)
# A program that cannot be installed is reported here; its tests are skipped with the reason.
set -eu

# Node and npm come with the development dependencies.
node_sdks() {
  PATH="$PWD/.venv/bin:$PATH" npm ci --silent --no-audit --no-fund --prefix tests/node ||
    echo "could not install the Node SDKs: tests that need them will be skipped" >&2
}

page_tools() {
  PATH="$PWD/.venv/bin:$PATH" npm ci --silent --no-audit --no-fund --prefix page ||
    echo "could not install what the page is built with: tests that need it will be skipped" >&2
}

dynamodb_local() {
  dynamodb=.cache/dynamodb-local
  if command -v java >/dev/null && command -v mvn >/dev/null && [ ! -d "$dynamodb" ]; then
    timeout 300 mvn -B -q -f tests/stores/dynamodb-local.xml dependency:copy-dependencies \
      -DoutputDirectory="$PWD/$dynamodb" >/dev/null || {
      rm -rf "$dynamodb"
      echo "could not fetch DynamoDB Local: tests that need it will be skipped" >&2
    }
  fi
}

# They wait for the network more than they compute.
node_sdks &
page_tools &
dynamodb_local &

is_here() {
  command -v "$1" >/dev/null
}

can_install=
[ "$(id -u)" != 0 ] || ! is_here apt-get || can_install=yes
missing=""
# Without windows, Chromium takes a third of the CPU time.
is_here chromium-headless-shell || { [ -z "$can_install" ] && is_here chromium; } ||
  missing="$missing chromium-headless-shell"
[ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
is_here redis-server || missing="$missing redis-server"
# The browser driver's Node is linked with this library.
/sbin/ldconfig -p | grep -q libatomic.so.1 || missing="$missing libatomic1"
if [ -z "$missing" ]; then
  :
elif [ -n "$can_install" ]; then
  apt-get update -qq || true
  # Debian has it as a package since version 12.
  apt-cache show chromium-headless-shell >/dev/null 2>&1 ||
    missing=$(echo "$missing" | sed 's/chromium-headless-shell/chromium/')
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    echo "could not install$missing: tests that need them will be skipped" >&2
else
  echo "not root, so not installing$missing: tests that need them will be skipped" >&2
fi

wait
