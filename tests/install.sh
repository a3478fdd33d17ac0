#!/usr/bin/env bash
# Installs what `./test` needs beyond Rust and a C compiler: Debian's PostgreSQL and Chromium, a
# Python environment with the packages of tests/python/requirements.txt, and the JavaScript clients
# of tests/node/package.json. Does nothing, and asks no network, when all is there already.
#
#   tests/install.sh VENV NODE   VENV is where the Python environment goes (target/venv), NODE where the
#                                JavaScript clients go (target/node)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${1:?usage: tests/install.sh VENV NODE}
node=${2:?usage: tests/install.sh VENV NODE}
requirements=$here/python/requirements.txt

say() { printf 'install: %s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

apt_lists_are_fresh=
# Installs Debian packages; "$1" says what for, the rest are their names.
debian() {
    local purpose=$1
    shift
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        fail "$purpose is missing; install it as root: apt-get install $*"
    fi
    export DEBIAN_FRONTEND=noninteractive
    say "installing $* ($purpose)"
    if [ -z "$apt_lists_are_fresh" ]; then
        apt-get update -qq
        apt_lists_are_fresh=yes
    fi
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_postgres() {
    if [ -x "$("$here/postgres.sh" bin 2>/dev/null)/initdb" ]; then
        return
    fi
    debian "the PostgreSQL server" postgresql
}

# `CHROMIUM_BIN` names another one.
install_chromium() {
    if [ -n "${CHROMIUM_BIN-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null; then
        return
    fi
    debian "the browser" chromium
}

# The name of what the environment was made from: another interpreter or another list makes another one.
venv_stamp() {
    { "$1" --version 2>&1; cat "$requirements"; } | sha256sum | cut -d ' ' -f 1
}

install_python() {
    local stamp_file=$venv/requirements.sha256
    if [ -x "$venv/bin/python" ] && [ -f "$stamp_file" ] \
        && [ "$(cat "$stamp_file")" = "$(venv_stamp "$venv/bin/python")" ]; then
        return
    fi

    local python
    python=$(command -v python3 || true)
    if [ -z "$python" ] || ! "$python" -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        debian "Python 3.11 or newer with venv" python3 python3-venv
        python=/usr/bin/python3
    fi

    say "making the Python environment $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
    venv_stamp "$venv/bin/python" >"$stamp_file"
}

install_node() {
    local wanted=$here/node/package.json
    if [ -f "$node/package.json" ] && cmp -s "$wanted" "$node/package.json" && [ -d "$node/node_modules" ]; then
        return
    fi
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        debian "Node.js with npm" nodejs npm
    fi
    say "installing the JavaScript clients into $node"
    rm -rf "$node"
    mkdir -p "$node"
    cp "$wanted" "$node/package.json.new"
    cp "$wanted" "$node/package.json"
    if ! npm install --prefix "$node" --no-audit --no-fund --silent >&2; then
        rm -rf "$node"
        fail "npm could not install the JavaScript clients"
    fi
    # npm writes the file anew; the copy tells next time that nothing has changed.
    mv "$node/package.json.new" "$node/package.json"
}

install_postgres
install_chromium
install_python
install_node
