#!/bin/sh
# PostgreSQL for the tests: makes the database on the first start from POSTGRES_USER, POSTGRES_PASSWORD(_FILE) and
# POSTGRES_DB, runs /docker-entrypoint-initdb.d/*.sql, then the server. Runs as the image's user, never as root.
set -eu
[ "${1:-}" = postgres ] && shift
user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "postgres: the first start needs POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE" >&2
        exit 1
    fi
    secret=$(mktemp)
    printf '%s\n' "$POSTGRES_PASSWORD" >"$secret"
    initdb -D "$PGDATA" -U "$user" --pwfile="$secret" --auth-local=trust --auth-host=scram-sha-256 \
        -E UTF8 --locale=C.UTF-8 >/dev/null
    rm -f "$secret"
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start >/dev/null
    if [ "$database" != postgres ]; then
        echo 'CREATE DATABASE :"name"' | psql -q -U "$user" -d postgres -v name="$database" -v ON_ERROR_STOP=1
    fi
    for script in /docker-entrypoint-initdb.d/*.sql; do
        if [ -f "$script" ]; then psql -q -U "$user" -d "$database" -v ON_ERROR_STOP=1 -f "$script"; fi
    done
    pg_ctl -D "$PGDATA" -w -m fast stop >/dev/null
fi
unset POSTGRES_PASSWORD
postgres -D "$PGDATA" -c listen_addresses='*' "$@" &
# Docker's SIGTERM would make it wait for every client to leave; the vendor's image asks for SIGINT (fast) instead.
trap 'kill -INT $!' TERM INT
wait $! || wait $!
