#!/usr/bin/env bash
# Downloads the draft as a stranger would and compares it with what was built: count, names, hashes, attestations.
# Environment: TAG, GH_TOKEN, GH_REPO, GITHUB_STEP_SUMMARY.
set -euo pipefail
count=0
got=$(mktemp -d)
trap 'rm -rf "$got"' EXIT
gh release download "$TAG" --dir "$got"
"$(dirname "$0")/files.sh" dist | LC_ALL=C sort >"$got.wanted"
(cd "$got" && find . -type f -printf '%P\n') | LC_ALL=C sort >"$got.names"
diff "$got.wanted" "$got.names" || { echo 'the draft must have exactly the files of dist/' >&2; exit 1; }
rm -f "$got.wanted" "$got.names"
"$(dirname "$0")/files.sh" "$got" >/dev/null
for file in "$got"/*; do
  count=$((count + 1))
  cmp "$file" "dist/$(basename "$file")"
  case $file in
    *.minisig) ;;
    *) gh attestation verify "$file" --repo "$GH_REPO" ;;
  esac
done
echo "The draft of $TAG was downloaded again: $count files, each as it was built and attested." >>"$GITHUB_STEP_SUMMARY"
