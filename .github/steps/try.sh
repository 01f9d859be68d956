#!/usr/bin/env bash
# Runs an archive as a container's only process, on the oldest supported libc: it answers, and ends with 0.
# Environment: ARCHIVE, FOLDER, PROGRAM, ANSWER, PLATFORM, IMAGE, GITHUB_STEP_SUMMARY.
set -euo pipefail
# shellcheck disable=SC2153 # ANSWER is what is wanted, answer what came.
wanted=$ANSWER
tar -xzf "$ARCHIVE"
docker run --detach --name oldest --platform "$PLATFORM" --publish 3000:3000 --read-only --user 65534 \
  --volume "$PWD/$FOLDER:/app:ro" "$IMAGE" "/app/$PROGRAM" 3000
answer=$(curl --silent --show-error --max-time 10 --retry 30 --retry-delay 1 --retry-all-errors http://127.0.0.1:3000/any/path)
[ "$answer" = "$wanted" ] || { echo "the answer must be \"$wanted\", got \"$answer\"" >&2; exit 1; }
docker stop --time 20 oldest
code=$(docker inspect --format '{{.State.ExitCode}}' oldest)
docker rm oldest >/dev/null
[ "$code" = 0 ] || { echo "it must end with exit code 0 after SIGTERM, got $code" >&2; exit 1; }
echo "\`$ARCHIVE\` answered on $PLATFORM in \`$IMAGE\`, read-only, as user 65534, and ended with 0." >>"$GITHUB_STEP_SUMMARY"
