# Takes $CONTAINERS out of $NETWORKS; what is gone already is fine.
set -eu
for container in $CONTAINERS; do
    for network in $NETWORKS; do
        docker network disconnect "$network" "$container" 2> /dev/null || true
    done
done
