# Prints the root certificate of Caddy's own CA, which Caddy makes at its first start. It is public.
set -eu
tries=0
until docker exec "$CONTAINER" cat "$FILE" 2> /dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
        echo "$CONTAINER made no root certificate at $FILE within a minute; its log:" >&2
        docker logs --tail 20 "$CONTAINER" >&2
        exit 1
    fi
    sleep 1
done
