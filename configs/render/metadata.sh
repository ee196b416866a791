#!/bin/sh
# Written by fleetwatch, run at every boot: the metadata service shows this droplet's user data to every process.
# Containers on the host's own network can still ask; Docker keeps the rule when it is restarted.
set -eu
command -v dockerd > /dev/null || exit 0 # at the first boot: run again once Docker is installed
tries=0
until iptables -w -n -L DOCKER-USER > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
        echo "fleetwatch: Docker made no chain DOCKER-USER, looked for it $tries times; containers may ask 169.254.169.254" >&2
        exit 1
    fi
    sleep 1
done
iptables -w -C DOCKER-USER -d 169.254.169.254 -j DROP 2> /dev/null ||
    iptables -w -I DOCKER-USER -d 169.254.169.254 -j DROP
