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

missing=""
command -v chromium >/dev/null || missing="$missing chromium"
[ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
command -v redis-server >/dev/null || missing="$missing redis-server"
# The browser driver's Node is linked with this library.
/sbin/ldconfig -p | grep -q libatomic.so.1 || missing="$missing libatomic1"
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq || true
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
      echo "could not install$missing: tests that need them will be skipped" >&2
  else
    echo "not root, so not installing$missing: tests that need them will be skipped" >&2
  fi
fi

wait
