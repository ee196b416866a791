# Prints the root certificate and the key of the CA that all nodes of a cluster have; once, from then on both are in the
# state. Those of the hub's Caddy where $VOLUME has them, so that hosts trust it as before, else new ones. Follows pull.sh.
set -eu
pull_missing
volume=''
if docker volume inspect "$VOLUME" > /dev/null 2>&1; then volume="$VOLUME:/data:ro"; fi
# Not logged, because the key is printed. The capability is that of the program's file, which could not be started without.
docker run --rm --log-driver none --network none --cap-drop ALL --cap-add NET_BIND_SERVICE --security-opt no-new-privileges \
    --label "$LABEL" --tmpfs /new -e XDG_DATA_HOME=/new -e HOME=/new ${volume:+-v "$volume"} "$IMAGE" sh -euc '
        at=caddy/pki/authorities/local
        if [ -e "/data/$at/root.key" ]; then
            cat "/data/$at/root.crt" "/data/$at/root.key"
            exit 0
        fi
        printf "{\n\tskip_install_trust\n\tpki {\n\t\tca local\n\t}\n}\n" > /new/Caddyfile
        caddy validate --adapter caddyfile --config /new/Caddyfile > /new/log 2>&1 || { cat /new/log >&2; exit 1; }
        cat "/new/$at/root.crt" "/new/$at/root.key"'
