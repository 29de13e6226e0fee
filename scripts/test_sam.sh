#!/bin/sh
# Tests with the real SAM CLI, a container engine and AWS's emulator (`make test-sam`).
# Uses a running engine, or as root on Debian starts a private one and stops it at the end.
# Usage: test_sam.sh, or test_sam.sh images: only get the images that the tests start from.
set -eu

skip() {
  echo "skipped: $1"
  exit 0
}

case "$(uname -m)" in
  x86_64) ARCH=x86_64 ;;
  aarch64) ARCH=arm64 ;;
  *) skip "Lambda knows no $(uname -m)" ;;
esac
export ARCH
image=public.ecr.aws/lambda/python:3.13-$ARCH
work=$PWD/.cache/sam-test
mkdir -p "$work"
engine=

stop() {
  [ -z "$engine" ] || { kill "$engine" 2>/dev/null && wait "$engine" 2>/dev/null; } || true
  [ -z "$engine" ] || ip link delete docker0 2>/dev/null || true
}
trap stop EXIT

start_engine() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  if [ ! -x /usr/sbin/dockerd ] || ! command -v busybox >/dev/null; then
    apt-get update -qq || true
    # Another part of the set-up may be installing its packages.
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
      --no-install-recommends docker.io docker-compose iptables busybox-static iproute2 debootstrap >/dev/null || return 1
  fi
  export DOCKER_HOST="unix://$work/docker.sock"
  # No iptables and no forwarding: the host's network is not changed.
  /usr/sbin/dockerd --data-root "$work/data" --exec-root "$work/exec" -p "$work/docker.pid" \
    -H "$DOCKER_HOST" --iptables=false --ip6tables=false --ip-forward=false \
    >"$work/dockerd.log" 2>&1 &
  engine=$!
  for _ in $(seq 100); do
    docker info >/dev/null 2>&1 && return 0
    kill -0 "$engine" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

docker info >/dev/null 2>&1 || start_engine ||
  skip "there is no container engine, and none can be started here"

if ! docker image inspect "$image" >/dev/null 2>&1 && ! timeout 60 docker pull -q "$image" 2>/dev/null; then
  command -v busybox >/dev/null || skip "AWS's base image cannot be pulled, nor a stand-in built without busybox"
  python=$(sh scripts/find_python.sh 3.13) ||
    skip "AWS's base image cannot be pulled, nor a stand-in built without python3.13"
  echo "AWS's base image cannot be pulled: building a stand-in"
  sh scripts/setup.sh tools
  sh scripts/standin_image.sh "$image" "$python"
fi

docker run --rm --entrypoint /bin/sh "$image" -c true >/dev/null 2>&1 ||
  skip "the container engine that is here cannot run a container"
DOCKER_GATEWAY=$(docker network inspect bridge -f '{{(index .IPAM.Config 0).Gateway}}' 2>/dev/null || true)
export DOCKER_GATEWAY

# The server's own image, and the replicas of compose.yaml.
official=python:3.13-slim
standin=tokenwire-standin-debian
if ! docker image inspect "$official" >/dev/null 2>&1 && ! timeout 60 docker pull -q "$official" 2>/dev/null; then
  echo "$official cannot be pulled: building a stand-in of Debian's packages"
  docker image inspect "$standin" >/dev/null 2>&1 || sh scripts/standin_debian.sh "$standin" || standin=
  export BASE="$standin" NGINX_IMAGE="$standin" STORE_IMAGE="$standin"
  export STORE_PROGRAM=redis-server STORE_CLIENT=redis-cli
fi
[ "${1:-}" != images ] || exit 0
export TESTED_IMAGE=tokenwire-of-tests
if [ -z "${BASE-$official}" ]; then
  echo "skipped: there is no base image for Dockerfile"
  unset TESTED_IMAGE
else
  docker build -q --network host --build-arg "BASE=${BASE:-$official}" -t "$TESTED_IMAGE" . >/dev/null
fi

.cache/sam/bin/sam validate --lint
.cache/sam/bin/sam validate --lint --template examples/managed-instances.yaml
.cache/sam/bin/cfn-lint examples/*.yaml examples/deploy/github-oidc.yaml
.cache/sam/bin/sam build --parameter-overrides "Architecture=$ARCH" --build-dir "$work/build" >/dev/null
SAM_BUILD_DIR="$work/build" .venv/bin/python -m pytest -m sam -q tests/sam
