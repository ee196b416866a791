# Connects $CONTAINERS to $NETWORKS (one each line) beside their $OWN ones and disconnects them from any other, without
# recreating them.
set -eu
wanted=$(printf '%s\n' "$NETWORKS"; printf '%s' "$OWN" | tr ' ' '\n')
for container in $CONTAINERS; do
    if ! joined=$(docker inspect --type container -f '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$container"); then
        echo "$container does not exist any more (removed by hand?): \`make pulumi ARGS=\"refresh --yes\"\` notices it, the next \`make up\` makes it again (with the STACK= and FILE= of this stack)" >&2
        exit 1
    fi
    # Descriptor 3: what runs in a loop must not read the rest of the list.
    while IFS= read -r network <&3; do
        [ -n "$network" ] || continue
        printf '%s\n' "$joined" | grep -qxF -e "$network" || docker network connect "$network" "$container"
    done 3<<EOF
$NETWORKS
EOF
    while IFS= read -r network <&3; do
        [ -n "$network" ] || continue
        printf '%s\n' "$wanted" | grep -qxF -e "$network" || docker network disconnect "$network" "$container"
    done 3<<EOF
$joined
EOF
done
