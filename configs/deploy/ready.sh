# Ends once this machine's Docker Engine answers; fails with its error after two minutes, or without Docker Compose
# $COMPOSE or newer. Follows engine.sh.
set -eu
docker=docker sudo=''
since=$(date +%s)
until version=$(docker version -f '{{.Server.Version}}' 2>&1); do
    passed=$(($(date +%s) - since))
    if [ "$passed" -ge 120 ]; then
        echo "Docker does not answer at $DOCKER_HOST after $passed s: $version" >&2
        exit 1
    fi
    sleep 2
done
found=$(docker compose version --short 2> /dev/null) || found=''
found=${found#v}
if [ -z "$found" ] || [ "$(printf '%s\n%s\n' "$COMPOSE" "$found" | sort -V | head -n 1)" != "$COMPOSE" ]; then
    echo "this machine: expected Docker Compose $COMPOSE or newer (\`docker compose version\`), found ${found:-none}; run \`make up\`, which gets it, or install it (https://docs.docker.com/compose/install/linux/)" >&2
    exit 1
fi
for reason in "$(unsuited)" "$(foreign)"; do
    [ -n "$reason" ] || continue
    echo "this machine: $reason" >&2
    exit 1
done
known_bad "$version" | sed 's/^/this machine: warning: /' >&2
unmeasured "$(docker info -f '{{.DockerRootDir}}')" | sed 's/^/this machine: warning: /' >&2
echo "Docker $version, Compose $found"
