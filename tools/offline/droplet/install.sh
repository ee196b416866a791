#!/bin/sh
# Runs once, in a container without network that has the essential packages unpacked: installs all of /install properly.
set -eu
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true LC_ALL=C HOME=/
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin

mkdir -p /proc /sys /dev /etc/dpkg/dpkg.cfg.d /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/alternatives
# Docker's init script mounts the cgroups by itself unless this file mentions them; a container has them already.
echo "cgroup /sys/fs/cgroup cgroup noauto 0 0" > /etc/fstab
: > /var/lib/dpkg/status
: > /var/lib/dpkg/available
cat > /etc/dpkg/dpkg.cfg.d/small << END
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/i18n/*
END
# No service starts while it is installed.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

# shellcheck disable=SC2046 # one word per file is meant
dpkg --force-depends --install $(cat /install/base)
apt-get -q -y --no-install-recommends -o APT::Sandbox::User=root install /install/*.deb

rm -f /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/small /.dockerenv
echo "deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main" > /etc/apt/sources.list
# Docker's init script raises the limit of open files; in a container that may be forbidden, and is no reason to fail.
cat >> /etc/default/docker << 'END'
ulimit() { command ulimit "$@" 2> /dev/null || true; }
END
# What makes a machine itself is made at its first boot.
rm -f /etc/ssh/ssh_host_* /etc/docker/key.json
: > /etc/machine-id
rm -rf /var/lib/cloud/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/log/apt/* /var/log/*.log /install
