# Prints the root certificate of Caddy's own CA, which Caddy makes at its first start. It is public.
set -eu
since=$(date +%s)
until docker exec "$CONTAINER" cat "$FILE" 2> /dev/null; do
    passed=$(($(date +%s) - since))
    if [ "$passed" -ge 60 ]; then
        echo "$CONTAINER made no root certificate at $FILE within $passed s; its log:" >&2
        docker logs --tail 20 "$CONTAINER" >&2
        exit 1
    fi
    sleep 1
done
