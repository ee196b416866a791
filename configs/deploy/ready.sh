# Ends once the host's Docker Engine answers; fails with its error after two minutes.
set -eu
tries=0
until version=$(docker version -f '{{.Server.Version}}' 2>&1); do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
        echo "Docker does not answer at $DOCKER_HOST: $version" >&2
        exit 1
    fi
    sleep 2
done
echo "Docker $version"
