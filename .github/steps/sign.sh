#!/usr/bin/env bash
# Signs the checksums, if there is a key. Environment: MINISIGN_KEY (the text of an unencrypted secret key), TAG.
set -euo pipefail
if [ -z "${MINISIGN_KEY:-}" ]; then echo 'no key: the checksums are not signed'; exit 0; fi
key=$(mktemp)
trap 'rm -f "$key"' EXIT
printf '%s\n' "$MINISIGN_KEY" >"$key"
minisign -S -s "$key" -m dist/checksums-sha256.txt -x dist/checksums-sha256.txt.minisig -t "$TAG"
