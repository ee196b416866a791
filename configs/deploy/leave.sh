# Disconnects $CONTAINERS from $NETWORKS (one each line); a container or network that is gone already is fine.
set -eu
for container in $CONTAINERS; do
    while IFS= read -r network <&3; do
        [ -z "$network" ] || docker network disconnect "$network" "$container" 2> /dev/null || true
    done 3<<EOF
$NETWORKS
EOF
done
