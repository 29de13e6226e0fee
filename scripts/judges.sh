#!/bin/sh
# Install the test suites and mock servers of other authors for `make judges`. The lock files pin the versions.
# A program that cannot be installed is reported here; its tests are skipped with the reason.
set -eu

export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
export PATH="$PWD/.venv/bin:$PATH"
programs=tests/judges/clients/programs

python_judges() {
  UV_PROJECT_ENVIRONMENT=.cache/judges-python .cache/tools/bin/uv sync --quiet --frozen --only-group judges ||
    echo "could not install llmock and schemathesis: tests that need them will be skipped" >&2
}

node_judges() {
  npm ci --silent --no-audit --no-fund --prefix tests/judges ||
    echo "could not install llmprobe and aimock: tests that need them will be skipped" >&2
}

# Clients of others: the Node packages and, where Go and Java with Maven are, their SDKs.
# (The Python programs lock their own packages, and uv installs them when they run.)
node_clients() {
  npm ci --silent --no-audit --no-fund --prefix "$programs/node" ||
    echo "could not install the Node clients: tests that need them will be skipped" >&2
}

java_clients() {
  if command -v java >/dev/null && command -v mvn >/dev/null && [ ! -d .cache/java-clients ]; then
    timeout 300 mvn -B -q -f "$programs/java/pom.xml" dependency:copy-dependencies \
      -DoutputDirectory="$PWD/.cache/java-clients" >/dev/null || {
      rm -rf .cache/java-clients
      echo "could not fetch the Java clients: tests that need them will be skipped" >&2
    }
  fi
}

go_clients() {
  if command -v go >/dev/null; then
    (cd "$programs/go" && go mod download) ||
      echo "could not fetch the Go clients: tests that need them will be skipped" >&2
  fi
}

# All at once: they wait for the network more than they compute.
python_judges &
node_judges &
node_clients &
java_clients &
go_clients &
wait
