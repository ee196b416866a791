#!/bin/sh
# Written by fleetwatch, run once by cloud-init. Output: /var/log/cloud-init-output.log
set -eu
export DEBIAN_FRONTEND=noninteractive HOME=~root
say() { echo "fleetwatch: $*"; }

mkdir -p /run/sshd # sshd -t wants it, and where sshd is started by a socket nobody has made it yet
/usr/sbin/sshd -t
service ssh reload || say "sshd does not run yet, it will read its settings at its start"

start=start
if command -v dockerd > /dev/null; then
    say "Docker is there, restarting it with our settings"
    start=restart
fi
tries=0
until /bin/sh /usr/local/lib/fleetwatch/docker-packages < /dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge 5 ]; then
        say "installing Docker failed $tries times"
        exit 1
    fi
    say "installing Docker failed, trying again in 15 s"
    sleep 15
done
service docker "$start"

tries=0
until docker version > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
        say "Docker does not answer, tried $tries times"
        exit 1
    fi
    sleep 1
done
/var/lib/cloud/scripts/per-boot/fleetwatch-metadata.sh
if [ -e /usr/local/lib/fleetwatch/setup ]; then
    say "running setup"
    /usr/local/lib/fleetwatch/setup < /dev/null
fi
say "first boot done"
