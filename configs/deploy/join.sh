# Connects $CONTAINERS to $NETWORKS beside their $OWN ones and takes them out of any other, without recreating them.
set -eu
for container in $CONTAINERS; do
    joined=$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$container")
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
