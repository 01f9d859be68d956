#!/usr/bin/env bash
# Every runtime that goes into a release was made by this repository's own workflow, which attested it.
# Environment: GH_TOKEN, GH_REPO.
set -euo pipefail
shopt -s nullglob
runtimes=(runtimes/*/node.xz)
[ "${#runtimes[@]}" -gt 0 ] || { echo 'runtimes/ must have runtimes, has none' >&2; exit 1; }
for runtime in "${runtimes[@]}"; do
  gh attestation verify "$runtime" --repo "$GH_REPO" --signer-workflow "$GH_REPO/.github/workflows/runtimes.yml"
done
