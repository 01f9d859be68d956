#!/usr/bin/env bash
# A draft with every file; run again, it completes what an earlier run has begun. Environment: TAG, PRERELEASE, GH_TOKEN, GH_REPO.
set -euo pipefail
mapfile -t files < <("$(dirname "$0")/files.sh" dist)
[ "${#files[@]}" -gt 2 ] || { echo 'dist/ must have files, has none' >&2; exit 1; }
state=$(gh release view "$TAG" --json isDraft --jq .isDraft 2>/dev/null || true)
case $state in
  true) echo "$TAG is a draft already" ;;
  false) echo "$TAG is published already; a release is never changed" >&2; exit 1 ;;
  *) gh release create "$TAG" --draft --verify-tag --prerelease="$PRERELEASE" --title "$TAG" --notes-file dist/release-notes.md ;;
esac
cd dist
gh release upload "$TAG" --clobber -- "${files[@]}"
