#!/bin/sh
# Check that a tag, the packages and the changelog name one version. Usage: version.sh v1.2.3.
set -eu

version=${1#v}
fail() {
  echo "version.sh: $1 does not name version $version" >&2
  exit 1
}

grep -q "^version = \"$version\"$" pyproject.toml || fail pyproject.toml
grep -q "^__version__ = \"$version\"$" functions/proxy/tokenwire/__init__.py || fail tokenwire
grep -q "^## \[*$version" CHANGELOG.md || fail CHANGELOG.md
for package in clients/*/package.json; do
  [ ! -f "$package" ] || grep -q "\"version\": \"$version\"" "$package" || fail "$package"
done
