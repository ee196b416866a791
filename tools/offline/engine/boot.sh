#!/bin/sh
# Lets a Docker Engine run in this container: control groups of its own that can be written, and a kernel log. Starts no
# engine: the tests do, each in its way.
set -eu
mkdir -p /var/log
[ -e /var/run ] || ln -s /run /var/run # as on every Debian
[ -e /dev/kmsg ] || mknod -m 600 /dev/kmsg c 1 11
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then # v2: a group with processes cannot have children
    mount -o remount,bind,rw /sys/fs/cgroup
    mkdir -p /sys/fs/cgroup/init
    xargs -rn1 < /sys/fs/cgroup/cgroup.procs > /sys/fs/cgroup/init/cgroup.procs || true
    sed -e 's/ / +/g' -e 's/^/+/' < /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control
else
    awk '$3 == "cgroup" || $2 == "/sys/fs/cgroup" { print $2 }' /proc/mounts | while read -r place; do
        mount -o remount,bind,rw "$place"
    done
fi
touch /run/booted
exec sleep 86400
