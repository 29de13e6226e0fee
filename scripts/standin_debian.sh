#!/bin/sh
# Make a base image of Debian's packages if none can be pulled: Python, nginx and Redis in one.
# Usage: standin_debian.sh TAG. Needs root and debootstrap; a few minutes, once.
set -eu

tag=$1
root=$(mktemp -d)
chmod 755 "$root"  # the root of the image
log=$(mktemp)
trap 'rm -rf "$root" "$log"' EXIT
. /etc/os-release

fail() {
  tail -n 3 "$log" >&2
  exit 1
}
debootstrap --variant=minbase --include=python3-venv,ca-certificates \
  "${VERSION_CODENAME:-stable}" "$root" >"$log" 2>&1 || fail
# A package that starts its server would start it on this machine.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
DEBIAN_FRONTEND=noninteractive chroot "$root" \
  apt-get install -y -qq --no-install-recommends nginx-light redis-server >"$log" 2>&1 || fail
rm -rf "$root/var/cache/apt" "$root/var/lib/apt/lists"
# This machine's certificates: a network may have an authority of its own.
certificates=/etc/ssl/certs/ca-certificates.crt
cp -L "$certificates" "$root$certificates"
tar -C "$root" -c . | docker import -c "ENV PIP_CERT=$certificates SSL_CERT_FILE=$certificates" - "$tag" >/dev/null
