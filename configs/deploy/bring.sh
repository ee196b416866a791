# Brings $IMAGE, which no registry has, from this machine to $HOST, unless it is there. Runs on this machine; $LOOK and
# $LOAD are the shell that runs a command there: one shows whether the image is there, the other loads it from stdin.
set -eu
there=$(eval "$LOOK")
[ "$there" = no ] || exit 0
if ! docker image inspect "$IMAGE" > /dev/null 2>&1; then
    echo "host $HOST: the image $IMAGE is neither there nor in this machine's Docker, and no registry has it. \`make up\` builds it where Docker runs; or name one of a registry: \`fleetwatch:images: {$KEY: ...}\`" >&2
    exit 1
fi
echo "host $HOST: copying the image $IMAGE" >&2
docker save "$IMAGE" | gzip -1 | (eval "$LOAD") > /dev/null
