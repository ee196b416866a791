#!/bin/sh
# For the tests: starts the server $1. /given: the end of Redis' configuration, or MariaDB's first statements, one each line.
set -eu
data=/var/lib/server
case $1 in
    redis) exec redis-server /given --dir "$data" --save '' --maxmemory 64mb ;;
    memcached) exec memcached -m 8 -c 64 ;;
    nginx)
        cat > "$data/nginx.conf" << END
daemon off;
pid $data/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $data/body; proxy_temp_path $data/proxy; fastcgi_temp_path $data/fastcgi;
    uwsgi_temp_path $data/uwsgi; scgi_temp_path $data/scgi;
    server {
        listen 8080;
        location /stub_status { stub_status; }
    }
}
END
        exec nginx -e stderr -c "$data/nginx.conf"
        ;;
    mariadb)
        mariadb-install-db --no-defaults --datadir="$data/mariadb" --auth-root-authentication-method=normal > /dev/null
        exec mariadbd --no-defaults --datadir="$data/mariadb" --socket=/run/server/mariadb.sock --init-file=/given
        ;;
    rabbitmq)
        export HOME="$data" RABBITMQ_MNESIA_BASE="$data/mnesia" RABBITMQ_LOGS=- RABBITMQ_NODENAME=queue@localhost
        export RABBITMQ_ENABLED_PLUGINS_FILE="$data/plugins" RABBITMQ_LOG_BASE="$data/log"
        echo '[rabbitmq_prometheus].' > "$data/plugins"
        exec /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server
        ;;
esac
