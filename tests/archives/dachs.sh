#!/bin/bash
# A real TAP service (DaCHS on PostgreSQL) on this one machine, for tests of the TAP road.
#
#   dachs.sh install           packages of Debian 12; mends the extension pg_sphere, which PostgreSQL 15.9 and later refuse as it comes
#   dachs.sh start             PostgreSQL, if it is down, and the server; prints the address of the service
#   dachs.sh publish FOLDER    every .parquet and .xml (VOTable) file of the folder as the table <folder>.<file> (needs `start`)
#   dachs.sh stop              ends the processes that `start` began, by their ids
#
# Needs root. PYTHON is the interpreter with astropy and pyarrow that reads the tables (default: .venv/bin/python).
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
HERE="$(cd "$(dirname "$0")" && pwd)"
PYTHON="${PYTHON:-$HERE/../../.venv/bin/python}"
STATE=/var/run/dachs-lab
INPUTS=/var/gavo/inputs
ADDRESS=http://127.0.0.1:8080/tap

refuse() { echo "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || refuse "The TAP service needs root: it starts PostgreSQL and runs as the users dachsroot and gavo."
cluster() { pg_lsclusters -h | awk 'NR == 1 {print $1, $2, $4}'; }

postgres_up() {
    mkdir -p "$STATE"
    read -r version name status < <(cluster) || refuse "There is no PostgreSQL cluster; run: $0 install"
    if [ "$status" = down ]; then
        pg_ctlcluster "$version" "$name" start
        head -1 "/var/lib/postgresql/$version/$name/postmaster.pid" > "$STATE/postgres.pid"
    fi
}

install() {
    export DEBIAN_FRONTEND=noninteractive
    # the first pass may end in an error, because the server's set-up wants a running PostgreSQL
    dpkg -s gavodachs2-server > /dev/null 2>&1 || apt-get install -y --no-install-recommends gavodachs2-server || true
    for file in /usr/share/postgresql/*/extension/pg_sphere--1.2.0.sql; do
        # operators name a COMMUTATOR or NEGATOR that does not name them back; both are hints for the planner only
        perl -0pi -e 's/,?\s*(COMMUTATOR|NEGATOR)\s*=\s*\S+?\s*(?=,\s|\n)//g' "$file"
    done
    postgres_up
    dpkg --configure gavodachs2-server > /dev/null 2>&1 || dpkg --configure -a
    /etc/init.d/dachs stop > /dev/null 2>&1 || true    # the package starts a server of its own
}

start() {
    command -v dachs > /dev/null || refuse "DaCHS is not installed; run: $0 install"
    postgres_up
    if [ -f "$STATE/dachs.pid" ] && kill -0 "$(cat "$STATE/dachs.pid")" 2> /dev/null; then echo "$ADDRESS"; return; fi
    su -s /bin/sh dachsroot -c "cd /tmp && dachs imp //tap" > "$STATE/imp.log" 2>&1
    setsid su -s /bin/sh gavo -c "cd /tmp && exec dachs serve debug" > "$STATE/serve.log" 2>&1 < /dev/null &
    echo $! > "$STATE/dachs.pid"
    for _ in $(seq 120); do
        "$PYTHON" -c "import urllib.request as u; u.urlopen('$ADDRESS/availability', timeout=2)" 2> /dev/null && { echo "$ADDRESS"; return; }
        kill -0 "$(cat "$STATE/dachs.pid")" 2> /dev/null || refuse "DaCHS ended: $(tail -5 "$STATE/serve.log")"
        sleep 0.5
    done
    refuse "DaCHS did not answer within a minute: $(tail -5 "$STATE/serve.log")"
}

publish() {
    [ -d "${1:-}" ] || refuse "Usage: $0 publish FOLDER"
    schema="$(basename "$1" | tr 'A-Z-' 'a-z_')"
    rm -rf "${INPUTS:?}/$schema"
    "$PYTHON" "$HERE/dachs_tables.py" "$1" "$schema" "$INPUTS/$schema"
    chown -R dachsroot:gavo "$INPUTS/$schema"
    (cd "$INPUTS/$schema" && su -s /bin/sh dachsroot -c "psql -q -v ON_ERROR_STOP=1 -d gavo -f tables.sql && dachs imp -m q.rd")
}

stop() {
    if [ -f "$STATE/dachs.pid" ]; then
        group="$(cat "$STATE/dachs.pid")"
        kill -TERM -- "-$group" 2> /dev/null || true
        for _ in $(seq 50); do kill -0 -- "-$group" 2> /dev/null || break; sleep 0.1; done
        kill -KILL -- "-$group" 2> /dev/null || true
        rm -f "$STATE/dachs.pid"
    fi
    if [ -f "$STATE/postgres.pid" ]; then
        read -r version name _ < <(cluster)
        # only the very server that `start` began
        [ "$(head -1 "/var/lib/postgresql/$version/$name/postmaster.pid" 2> /dev/null)" = "$(cat "$STATE/postgres.pid")" ] &&
            pg_ctlcluster "$version" "$name" stop -m fast || true
        rm -f "$STATE/postgres.pid"
    fi
}

case "${1:-}" in
    install | start | publish | stop) "$@" ;;
    *) refuse "Usage: $0 install | start | publish FOLDER | stop" ;;
esac
