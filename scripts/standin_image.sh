#!/bin/sh
# Build a substitute for AWS's base image if it cannot be pulled. Usage: standin_image.sh TAG PYTHON
# It has the same directories (/var/lang, /var/runtime, /var/task, /opt) and runtime client, but
# Debian's libraries instead of Amazon Linux's, and busybox for a userland.
set -eu

tag=$1
python=$2
prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root/bin" "$root/usr/bin" "$root/tmp" "$root/opt" "$root/proc" "$root/sys" "$root/dev" \
  "$root/etc/ssl/certs" "$root/lib64" "$root/usr/local/bin" "$root/var/lang" "$root/var/runtime" \
  "$root/var/task" "$root/var/rapid"
chmod 1777 "$root/tmp"

# SAM adds its emulator with mv and chmod in a shell.
cp "$(command -v busybox)" "$root/bin/busybox"
busybox --list | grep -vx busybox | while read -r name; do ln -sf busybox "$root/bin/$name"; done
ln -s /bin/env "$root/usr/bin/env"

# The interpreter, without development files.
tar -C "$prefix" -c --exclude='*/site-packages/*' --exclude='lib/python*/test' --exclude='*/idlelib' \
  --exclude='*/config-*' --exclude='*/ensurepip' --exclude='*.a' --exclude='*/tkinter' bin lib |
  tar -C "$root/var/lang" -x

# Every shared library that it and the wheels link to.
{
  find "$root/var/lang" -name '*.so*' -type f
  echo "$root/var/lang/bin/python$version"
} | LD_LIBRARY_PATH="$root/var/lang/lib" xargs ldd 2>/dev/null |
  awk '$3 ~ /^\/(usr\/)?lib/ { print $3 }' | sort -u >"$root/.libraries"
triplet=$(gcc -print-multiarch 2>/dev/null || echo "$(uname -m)-linux-gnu")
for name in libstdc++.so.6 libgcc_s.so.1 libnss_dns.so.2 libnss_files.so.2 libresolv.so.2 \
  librt.so.1 libpthread.so.0 libdl.so.2 libutil.so.1; do
  find "/lib/$triplet" "/usr/lib/$triplet" -name "$name" 2>/dev/null | head -n 1 >>"$root/.libraries"
done
while read -r library; do cp -Ln --parents "$library" "$root/"; done <"$root/.libraries"
rm "$root/.libraries"
for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do
  [ ! -e "$loader" ] || cp -L --parents "$loader" "$root/"
done

# The runtime that AWS's image has, and its boto3.
.cache/tools/bin/uv pip install --quiet --require-hashes --only-binary :all: --python "$python" \
  --target "$root/var/runtime" -r scripts/requirements/standin.txt
cat >"$root/var/runtime/bootstrap.py" <<'PY'
import os
import sys

from awslambdaric.__main__ import main

version = "python%d.%d" % sys.version_info[:2]
for place in ("/opt/python/lib/%s/site-packages" % version, "/opt/python", "/var/task"):
    sys.path.insert(0, place)
main(["bootstrap", os.environ["_HANDLER"]])
PY
cat >"$root/var/runtime/bootstrap" <<SH
#!/bin/sh
export PYTHONPATH="/var/runtime\${PYTHONPATH:+:\$PYTHONPATH}"
export _HANDLER="\${_HANDLER:-\$AWS_LAMBDA_FUNCTION_HANDLER}"
exec \${AWS_LAMBDA_EXEC_WRAPPER:+"\$AWS_LAMBDA_EXEC_WRAPPER"} \\
  /var/lang/bin/python$version /var/runtime/bootstrap.py
SH
cat >"$root/lambda-entrypoint.sh" <<'SH'
#!/bin/sh
export _HANDLER="${1:-$_HANDLER}"
exec /var/runtime/bootstrap
SH
chmod +x "$root/var/runtime/bootstrap" "$root/lambda-entrypoint.sh"

cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || true
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
printf 'root:x:0:0:root:/root:/bin/sh\nsbx_user1051:x:993:990::/tmp:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nsbx:x:990:\n' >"$root/etc/group"

tar -C "$root" -c . | docker import \
  -c 'ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin LANG=C.UTF-8' \
  -c 'ENV LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime/lib:/var/task/lib:/opt/lib' \
  -c 'ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' \
  -c 'WORKDIR /var/task' -c 'ENTRYPOINT ["/lambda-entrypoint.sh"]' - "$tag" >/dev/null
