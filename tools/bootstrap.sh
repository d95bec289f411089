#!/bin/sh
# Installs what the Makefile's verbs need.
#
#   tools/bootstrap.sh venv               .venv, with every package of requirements-dev.lock and this project
#   tools/bootstrap.sh servers NAME...    Debian's servers for tests and benchmarks, where this is root
#   tools/bootstrap.sh node               .node, with the second EWS client of the tests; needs Node.js and npm
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

can_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; }

# Installs Debian packages. Servers among them are for the tests, which start their own: Debian's default
# instances are not started here.
install_packages() {
    say "Installing from Debian: $*"
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    DEBIAN_FRONTEND=noninteractive apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

find_python() {
    for name in ${PYTHON:-} python3.11 python3 python3.12 python3.13 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$name"
            return
        fi
    done
    die "syncd needs Python 3.11 or newer; ask the administrator for: apt-get install python3"
}

make_venv() {
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        can_install || die "Python's venv module is missing; ask the administrator for: apt-get install python3-venv"
        install_packages python3-venv
    fi
    # One that was left half-made has no pip.
    .venv/bin/python -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear .venv
    say "Installing the packages of requirements-dev.lock into .venv: a few minutes the first time."
    pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore .venv/bin/python -m pip"
    $pip install --quiet --require-hashes --no-deps --only-binary :all: -r requirements-dev.lock
    $pip install --quiet --no-index --no-deps --no-build-isolation --editable .
}

is_there() {
    case $1 in
        dovecot) [ -x /usr/sbin/dovecot ] && [ -e /usr/lib/dovecot/imap ] ;;
        postgresql) ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ] ;;
        isync) command -v mbsync >/dev/null 2>&1 ;;
        davmail) command -v davmail-server >/dev/null 2>&1 ;;
        cards) command -v tesseract >/dev/null 2>&1 && command -v zbarimg >/dev/null 2>&1 ;;
    esac
}

debian_name() {
    case $1 in
        dovecot) echo dovecot-imapd ;;
        davmail) echo davmail-server ;;
        cards) echo tesseract-ocr tesseract-ocr-fra tesseract-ocr-nld zbar-tools ;;
        *) echo "$1" ;;
    esac
}

find_servers() {
    missing=
    for name in "$@"; do
        is_there "$name" || missing="$missing $(debian_name "$name")"
    done
    [ -n "$missing" ] || return 0
    if can_install; then
        # shellcheck disable=SC2086
        install_packages $missing
    elif [ -n "${CI:-}" ]; then
        die "Missing:$missing; ask the administrator for: apt-get install$missing"
    else
        say "Missing:$missing; what needs them is skipped. Ask the administrator for: apt-get install$missing"
    fi
}

# The packages of package-lock.json, into a folder of their own as .venv is.
make_node() {
    source=tests/servers/ews/node
    if cmp -s "$source/package-lock.json" .node/package-lock.json && [ -e .node/.ready ]; then
        return 0
    fi
    if ! command -v npm >/dev/null 2>&1 && can_install; then
        install_packages nodejs npm
    fi
    mkdir -p .node
    rm -f .node/.ready
    cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" .node/
    say "Installing the packages of $source/package-lock.json into .node"
    if command -v npm >/dev/null 2>&1 && (cd .node && npm ci --silent --ignore-scripts >&2); then
        touch .node/.ready
    elif [ -n "${CI:-}" ]; then
        die "The second EWS client is missing: it needs Node.js, npm and a package registry."
    else
        say "No second EWS client; what needs it is skipped. It needs Node.js, npm and a package registry."
    fi
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
    venv) make_venv ;;
    servers) find_servers "$@" ;;
    node) make_node ;;
    *) die "usage: tools/bootstrap.sh venv | servers NAME... | node" ;;
esac
