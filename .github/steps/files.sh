#!/usr/bin/env bash
# The files of a release, one a line: what the checksums name, then the checksums, the manifest and, if it is there, the signature.
# Fails if one is missing or is not what the checksums say. Usage: files.sh <folder>
set -euo pipefail
cd "$1"
sha256sum --quiet --strict -c checksums-sha256.txt >&2
sed 's/^[0-9a-f]*  //' checksums-sha256.txt
echo checksums-sha256.txt
echo manifest.json
if [ -e checksums-sha256.txt.minisig ]; then echo checksums-sha256.txt.minisig; fi
