#!/usr/bin/env bash
# A PostgreSQL of the tests' own, in a temporary folder, on a free port of 127.0.0.1.
#
#   tests/postgres.sh bin            prints the folder of the newest installed server's programs
#   tests/postgres.sh start FOLDER   starts one in FOLDER (empty, made by the caller), prints its port
#   tests/postgres.sh stop FOLDER    stops it, as fast as it can; FOLDER can be removed then
#
# Its superuser is `app`, without a password. It keeps nothing through a power cut (fsync=off).
# PostgreSQL refuses to run as root: root's is run as `postgres` or, where that user is missing, as `nobody`.
set -euo pipefail

fail() {
    printf 'postgres: %s\n' "$*" >&2
    exit 1
}

bin_folder() {
    local newest
    newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    if [ -z "$newest" ] && command -v initdb >/dev/null; then
        newest=$(dirname "$(command -v initdb)")
    fi
    [ -n "$newest" ] || fail "no PostgreSQL server is installed"
    printf '%s\n' "$newest"
}

# The user who owns the server's processes and files.
owner() {
    if [ "$(id -u)" != 0 ]; then
        id -un
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

# Runs a command as that user.
as_owner() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    else
        setpriv --reuid="$(id -u "$(owner)")" --regid="$(id -g "$(owner)")" --clear-groups "$@"
    fi
}

port_is_taken() {
    (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

start() {
    local folder=$1 bin port attempt
    bin=$(bin_folder)
    chown "$(owner)" "$folder"
    cd "$folder"
    as_owner env LC_ALL=C "$bin/initdb" --pgdata="$folder/data" --username=app --auth=trust \
        --encoding=UTF8 --no-sync >"$folder/initdb.log" 2>&1 \
        || { cat "$folder/initdb.log" >&2; fail "initdb failed"; }
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 12000))
        if port_is_taken "$port"; then
            continue
        fi
        # Another program may take the port in between: then the start fails, and the next one is tried.
        if as_owner env LC_ALL=C "$bin/pg_ctl" start --pgdata="$folder/data" --wait --silent --log="$folder/log" \
            --options="-p $port -k $folder -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300" \
            >/dev/null 2>&1 </dev/null; then
            printf '%s\n' "$port"
            return
        fi
    done
    cat "$folder/log" >&2 || true
    fail "PostgreSQL did not start in $folder (try $attempt)"
}

stop() {
    local folder=$1
    if [ -f "$folder/data/postmaster.pid" ]; then
        cd "$folder"
        as_owner "$(bin_folder)/pg_ctl" stop --pgdata="$folder/data" --mode=immediate --wait --silent >/dev/null 2>&1 || true
    fi
}

case ${1-} in
    bin) bin_folder ;;
    start) start "${2:?usage: tests/postgres.sh start FOLDER}" ;;
    stop) stop "${2:?usage: tests/postgres.sh stop FOLDER}" ;;
    *) fail "usage: tests/postgres.sh bin | start FOLDER | stop FOLDER" ;;
esac
