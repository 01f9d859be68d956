#!/usr/bin/env bash
# Makes and tries everything in dist/. As root, so that executables run in an empty chroot; dist/ belongs to the caller afterwards.
# Environment: REPOSITORY (https://github.com/owner/name), PREVIOUS (the last release's manifest.json, if it is there),
# GITHUB_STEP_SUMMARY.
set -euo pipefail
previous=()
if [ -s "${PREVIOUS:-}" ]; then previous=(--previous "$PREVIOUS"); fi
sudo env "PATH=$PATH" CI=true npm run release -- --repository "$REPOSITORY" "${previous[@]}"
sudo chown -R "$(id -u):$(id -g)" dist
node scripts/steps/summary.ts >>"$GITHUB_STEP_SUMMARY"
