#!/usr/bin/env bash
# Fetches the last release's manifest.json to $PREVIOUS; the first release has none. Environment: PREVIOUS, GH_TOKEN, GH_REPO.
set -euo pipefail
gh release download --pattern manifest.json --output "$PREVIOUS" || echo 'there is no earlier release'
