# Removes the edge's Compose project: containers, networks, files and, with $VOLUMES=yes, its data. By Docker's labels,
# so that it needs neither Compose nor the files.
# shellcheck disable=SC2086 # one word per id is meant
set -eu
ours="label=com.docker.compose.project=$PREFIX"
stack="label=fleetwatch.stack=$PREFIX"
found=$(docker ps -aq --filter "$ours" --filter "$stack")
[ -z "$found" ] || docker stop $found > /dev/null
[ -z "$found" ] || docker rm -f -v $found > /dev/null
found=$(docker network ls -q --filter "$ours" --filter "$stack")
[ -z "$found" ] || docker network rm $found > /dev/null
if [ "$VOLUMES" = yes ]; then
    found=$(docker volume ls -q --filter "$ours" --filter "$stack")
    [ -z "$found" ] || docker volume rm $found > /dev/null
fi
rm -rf "$DIR" "$DIR".*
rmdir "$BASE" 2> /dev/null || true
