#!/bin/sh
# Build a Lambda artifact from the lock file. Usage: artifact.sh function|layer DIR
# ARCH is arm64 (the default) or x86_64; the host's own Python and architecture do not matter.
set -eu

PYTHON=3.13
what=$1
dir=$2
case "${ARCH:-arm64}" in
  arm64) platform=aarch64-manylinux_2_28 ;;
  x86_64) platform=x86_64-manylinux_2_28 ;;
  *) echo "ARCH must be arm64 or x86_64" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.."
sh scripts/setup.sh tools
uv=.cache/tools/bin/uv

# Wheels only, each verified with the hash in the lock file.
install() {
  target=$1
  shift
  wanted=$(mktemp)
  "$uv" export --quiet --frozen --no-emit-workspace "$@" >"$wanted"
  "$uv" pip install --quiet --require-hashes --only-binary :all: --python-version "$PYTHON" \
    --python-platform "$platform" --target "$target" -r "$wanted"
  rm "$wanted"
}

# Remove files that are not used at run time: types, headers, tests, scripts, the installer's records.
prune() {
  rm -rf "$1/bin" "$1/.lock"
  find "$1" \( -name '*.pyi' -o -name 'py.typed' -o -name '*.c' -o -name '*.h' -o -name '*.pyx' \
    -o -name '.gitignore' -o -name '.keep' -o -name 'RECORD' -o -name 'INSTALLER' -o -name 'REQUESTED' -o -name 'WHEEL' \) -delete
  find "$1" -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +
}

case "$what" in
  function)
    install "$dir" --no-default-groups --prune mangum
    cp -R functions/proxy/tokenwire "$dir/"
    # Only used on a developer's machine.
    rm -rf "$dir/tokenwire/local"
    # The function starts in /var/task and reads this file from its working directory.
    [ ! -f tokenwire.toml ] || cp tokenwire.toml "$dir/"
    prune "$dir"
    sh scripts/bytecode.sh "$dir" /var/task
    ;;
  layer)
    install "$dir/python" --no-default-groups --package lambda-asgi
    cp -R layers/lambda_asgi/lambda_asgi "$dir/python/"
    # The local function URL is only used on a developer's machine.
    rm -rf "$dir/python/lambda_asgi/local"
    prune "$dir/python"
    sh scripts/bytecode.sh "$dir/python" /opt/python
    cp layers/lambda_asgi/lambda-asgi "$dir/"
    chmod 755 "$dir/lambda-asgi"
    ;;
  *) echo "usage: artifact.sh function|layer DIR" >&2; exit 2 ;;
esac
du -sk "$dir" | awk -v what="$what" '{ printf "%s: %.1f MB unzipped\n", what, $1 / 1024 }'
