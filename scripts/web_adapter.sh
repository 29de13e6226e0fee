#!/bin/sh
# Build AWS's Lambda Web Adapter from its crate, once, and print the path of the binary.
# Fails with a reason if cargo is not installed. Tests and benchmarks compare lambda_asgi with it.
set -eu

version=1.0.0-rc1
root=.cache/web-adapter
binary=$root/bin/lambda-adapter

if [ ! -x "$binary" ]; then
  command -v cargo >/dev/null || { echo "there is no cargo here" >&2; exit 1; }
  target=$(mktemp -d)
  trap 'rm -rf "$target"' EXIT
  cargo install --quiet --locked --version "$version" --root "$root" --target-dir "$target" \
    lambda_web_adapter >&2 || { echo "the Web Adapter could not be built" >&2; exit 1; }
fi
echo "$PWD/$binary"
