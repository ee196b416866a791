# Makes the root file system of a Debian machine as a cloud's image has it: systemd, cloud-init, sshd, a kernel; no
# Docker. $1: an empty folder; $2: release; $3: archive; then the packages. As root, in a mount namespace of its own.
set -eu
root=$1 release=$2 archive=$3
shift 3
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

debootstrap --variant=minbase --include=ca-certificates "$release" "$root" "$archive"
echo "deb $archive $release main
deb $archive $release-updates main
deb $archive-security $release-security main" > "$root/etc/apt/sources.list"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d" # no service is started in here
chmod 755 "$root/usr/sbin/policy-rc.d"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
chroot "$root" apt-get -q update
chroot "$root" apt-get -q -y --no-install-recommends install "$@"
chroot "$root" systemctl enable systemd-networkd systemd-resolved
chroot "$root" apt-get clean
umount "$root/proc" "$root/sys"

rm -rf "$root/usr/sbin/policy-rc.d" "$root"/var/lib/apt/lists/* "$root"/etc/ssh/ssh_host_*
: > "$root/etc/machine-id" # made at the first boot, as the host keys
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
echo "/dev/vda / ext4 defaults,discard 0 1" > "$root/etc/fstab"
cat > "$root/etc/cloud/cloud.cfg.d/90-image.cfg" << 'END'
datasource_list: [NoCloud, None]
# As on a droplet: keys go to root, the image has no other user.
users: [{name: root, lock_passwd: false}]
disable_root: false
END
