#!/usr/bin/env bash
# Everybody sees it from now on. Environment: TAG, GH_TOKEN, GH_REPO.
set -euo pipefail
gh release edit "$TAG" --draft=false
