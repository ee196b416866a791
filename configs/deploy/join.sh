# Connects $CONTAINERS to $NETWORKS beside their $OWN ones and takes them out of any other, without recreating them.
set -eu
for container in $CONTAINERS; do
    if ! joined=$(docker inspect --type container -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$container"); then
        echo "$container was removed by somebody: \`make pulumi ARGS=\"refresh --yes\"\` sees it, the next \`make up\` brings it back (with the STACK= and FILE= of this stack)" >&2
        exit 1
    fi
    for network in $NETWORKS; do
        case " $joined " in
            *" $network "*) ;;
            *) docker network connect "$network" "$container" ;;
        esac
    done
    for network in $joined; do
        case " $NETWORKS $OWN " in
            *" $network "*) ;;
            *) docker network disconnect "$network" "$container" ;;
        esac
    done
done
