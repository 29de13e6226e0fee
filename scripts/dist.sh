#!/bin/sh
# Build what a release publishes into dist/: wheels and sources for PyPI, the package for npm, the
# software bill of materials (CycloneDX), and the checksums of all.
set -eu

top=$PWD
rm -rf dist
mkdir dist
for root in . layers/lambda_asgi; do
  (cd "$root" && "$top/.venv/bin/python" -m hatchling build -d "$top/dist")
done
PATH=$top/.venv/bin:$PATH npm pack ./clients/js --pack-destination dist --silent
.cache/tools/bin/uv export --quiet --frozen --all-packages --all-extras --no-dev \
  --preview-features sbom-export --format cyclonedx1.5 --output-file dist/tokenwire.cdx.json
(cd dist && sha256sum ./* >SHA256SUMS)
