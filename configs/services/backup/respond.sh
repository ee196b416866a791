# One answer over HTTP on stdin and stdout: metrics, or the name of the snapshot that is in use.
. /etc/backup/common.sh
read -r _ path _
while read -r line && [ "${#line}" -gt 1 ]; do :; done

metrics() {
    for part in $PARTS; do
        for file in "$STATE/values/$part."*; do
            [ -e "$file" ] || continue
            echo "fleetwatch_backup_${file##*.}{part=\"$part\"} $(cat "$file")"
        done
        why=$(cat "$STATE/failed/$part" 2> /dev/null)
        echo "fleetwatch_backup_failed{part=\"$part\",reason=\"$why\"} $([ -n "$why" ] && echo 1 || echo 0)"
        done=0
        if [ "$(cat "$STATE/tmp/running" 2> /dev/null)" = "$part" ]; then
            done=$(tail -n 1 "$STATE/tmp/progress" 2> /dev/null | sed -n 's/.*"percent_done":\([0-9.e-]*\).*/\1/p')
            echo "fleetwatch_backup_progress_ratio{part=\"$part\"} ${done:-0}"
        else
            echo "fleetwatch_backup_progress_ratio{part=\"$part\"} 1"
        fi
    done
    for file in "$STATE/values/all."*; do
        [ ! -e "$file" ] || echo "fleetwatch_backup_${file##*.} $(cat "$file")"
    done
    why=$(cat "$STATE/failed/repository" 2> /dev/null)
    echo "fleetwatch_backup_failed{part=\"repository\",reason=\"$why\"} $([ -n "$why" ] && echo 1 || echo 0)"
    why=$(cat "$STATE/failed/check" 2> /dev/null)
    echo "fleetwatch_backup_check_failed{reason=\"$why\"} $([ -n "$why" ] && echo 1 || echo 0)"
    echo "fleetwatch_backup_waits_for_restore $([ -e "$STATE/waits" ] && echo 1 || echo 0)"
}

case $path in
    /metrics) body=$(metrics) status='200 OK' ;;
    /snapshot) body=$(cat "$STATE/tmp/snapshot" 2> /dev/null) status='200 OK' ;;
    *) body='not found' status='404 Not Found' ;;
esac
printf 'HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %s\r\n\r\n%s\n' \
    "$status" "$((${#body} + 1))" "$body"
