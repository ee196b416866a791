# Writes the hosts file with the names of a cluster's nodes, which comes in on stdin, to $FOLDER/hosts. Containers mount
# the file itself, so it is filled again and not replaced; what they run reads it again by itself.
#
# $ACTION: `drift` prints whether it differs, and changes nothing.
set -eu
wanted=$(cat)
has=$(cat "$FOLDER/hosts" 2> /dev/null || true)
if [ "${ACTION:-}" = drift ]; then
    [ "$has" = "$wanted" ] || echo "$FOLDER/hosts: is not what was deployed"
    exit 0
fi
mkdir -p "$BASE" "$FOLDER"
chmod 700 "$BASE"
if [ "$has" != "$wanted" ]; then
    printf '%s\n' "$wanted" > "$FOLDER/next" # a full disk is found here
    cat "$FOLDER/next" > "$FOLDER/hosts"
    rm -f "$FOLDER/next"
fi
chmod 755 "$FOLDER"
chmod 644 "$FOLDER/hosts"
echo "$wanted"
