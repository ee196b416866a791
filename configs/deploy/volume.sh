# Mounts the block-storage volume at $MOUNT (now and at every boot), lets its file system fill it, and makes the folders
# that the hub's containers keep their data in ($FOLDERS, one each line). Runs again when the volume has grown: its size
# is on stdin.
# Docker waits for it at a boot (x-systemd.before): a container whose folder is missing then is not started again.
set -eu
fstab=${FSTAB:-/etc/fstab}
since=$(date +%s)
until [ -e "$DEVICE" ]; do
    passed=$(($(date +%s) - since))
    if [ "$passed" -ge 60 ]; then
        echo "the volume $DEVICE did not appear within $passed s of its attachment" >&2
        exit 1
    fi
    sleep 1
done
grep -qF "$DEVICE " "$fstab" ||
    echo "$DEVICE $MOUNT ext4 defaults,nofail,discard,noatime,x-systemd.before=docker.service 0 2" >> "$fstab"
mkdir -p "$MOUNT"
mountpoint -q "$MOUNT" || mount "$MOUNT"
resize2fs "$DEVICE" > /dev/null 2>&1 || resize2fs "$DEVICE" >&2
while IFS= read -r folder <&3; do
    [ -z "$folder" ] || mkdir -p "$MOUNT/$folder"
done 3<<EOF
$FOLDERS
EOF
echo "$(df -Pk "$MOUNT" | awk 'NR == 2 { print int($2 / 1024 / 1024 + 0.5) }') GB at $MOUNT"
