#!/usr/bin/env bash
# Before anything of the commit is installed or run: the tag names the version, and its commit is on main or the tag is signed.
# Writes version, tag and whether it is a pre-release to GITHUB_OUTPUT. Environment: GITHUB_REF_NAME, GITHUB_OUTPUT.
set -euo pipefail
tag=$GITHUB_REF_NAME
version=$(sed -n 's/^  "version": "\([^"]*\)",$/\1/p' package.json)
[ "$tag" = "v$version" ] || { echo "the tag must be v$version, as package.json says, got $tag" >&2; exit 1; }
if ! git merge-base --is-ancestor HEAD origin/main && ! git verify-tag "$tag"; then
  echo "$tag must be a commit of main, or a tag that is signed, got neither" >&2
  exit 1
fi
case $version in *-*) prerelease=true ;; *) prerelease=false ;; esac
printf 'version=%s\ntag=%s\nprerelease=%s\n' "$version" "$tag" "$prerelease" >>"$GITHUB_OUTPUT"
