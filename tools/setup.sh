#!/bin/sh
# Gets a machine ready: system packages, virtual environment, Python packages, compiled translations.
#
#   sh tools/setup.sh runtime|test|dev
#
# Installs system packages through apt when this is root or sudo asks for no password; otherwise names them and stops.
# Done once: later calls compare the digests of the lock files and finish at once.
set -eu
cd "$(dirname "$0")/.."
profile=${1:-runtime}
venv=.venv

say() { printf '%s\n' "$*"; }
fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

case $profile in runtime | test | dev) ;; *) fail "Usage: sh tools/setup.sh runtime|test|dev" ;; esac

# ---- system packages ----------------------------------------------------------------------------------------------

new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        if have "$candidate" && "$candidate" -c "$new_enough" 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

has_library() {
    for folder in /usr/lib /usr/lib64 /usr/local/lib /usr/lib/*-linux-gnu; do
        [ -e "$folder/$1" ] && return 0
    done
    { PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null || true; } | grep -q "$1"
}

has_chinese_font() {
    if have fc-list; then
        [ -n "$(fc-list :lang=zh-cn family 2>/dev/null)" ] && return 0
    fi
    for font in /usr/share/fonts/*/noto/NotoSansCJK* /usr/share/fonts/*/*/NotoSansCJK* /usr/share/fonts/*/wqy/*; do
        [ -e "$font" ] && return 0
    done
    return 1
}

# A stub that only asks for the snap does not count.
has_chromium() {
    [ -n "${PORTAL_CHROMIUM:-}" ] && return 0
    have chromium || have google-chrome && return 0
    ls -d "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium* >/dev/null 2>&1
}

has_postgresql() {
    have initdb && have postgres && return 0
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

needed() {
    if python=$(find_python); then
        case $("$python" -c 'import os, sys; print(os.path.realpath(sys.executable))') in
            /usr/bin/*) "$python" -c 'import ensurepip, venv' 2>/dev/null || say python3-venv ;;
        esac
    else
        say python3 python3-venv
    fi
    has_library libpango-1.0.so.0 || say libpango-1.0-0
    has_library libpangoft2-1.0.so.0 || say libpangoft2-1.0-0
    has_library libharfbuzz-subset.so.0 || say libharfbuzz-subset0
    has_library libfontconfig.so.1 || say libfontconfig1
    has_chinese_font || say fonts-noto-cjk
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -n "${SSL_CERT_FILE:-}" ] || [ ! -e /etc/debian_version ] ||
        say ca-certificates
}

needed_for_tests() {
    has_postgresql || say postgresql
    have redis-server || say redis-server
    have pdftotext || say poppler-utils
    # Ubuntu's package is a stub for the snap; there Playwright's own Chromium is used (see below).
    has_chromium || grep -qs '^ID=ubuntu' /etc/os-release || say chromium
}

# install_packages PACKAGE… : 0 when they are installed, 1 when this person may not.
install_packages() {
    have apt-get || return 1
    if [ "$(id -u)" = 0 ]; then
        as_root=env
    elif have sudo && sudo -n true 2>/dev/null; then
        as_root="sudo -n env"
    else
        return 1
    fi
    say "Installing system packages (a minute or two): $*"
    log=$(mktemp)
    apt="$as_root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y -o DPkg::Lock::Timeout=300"
    if { $apt update && $apt install --no-install-recommends "$@"; } </dev/null >"$log" 2>&1; then
        rm -f "$log"
    else
        tail -n 20 "$log" >&2
        rm -f "$log"
        return 2
    fi
}

packages=$(needed | tr '\n' ' ')
if [ -n "$packages" ]; then
    # shellcheck disable=SC2086
    install_packages $packages || fail "These system packages are missing. Install them, then start again:

    apt-get update && apt-get install --no-install-recommends $packages
"
fi
if [ "$profile" != runtime ]; then
    packages=$(needed_for_tests | tr '\n' ' ')
    if [ -n "$packages" ]; then
        # shellcheck disable=SC2086
        install_packages $packages || {
            say "Some tests need system packages that are missing and cannot be installed from here:" \
                "apt-get install --no-install-recommends $packages"
            [ "${CI:-}" != true ] || fail "CI needs them."
        }
    fi
fi

# ---- virtual environment ------------------------------------------------------------------------------------------

python=$(find_python) || fail "Python 3.11 or later is needed and was not found (this system offers $(python3 -V 2>&1))."

# Its scripts carry absolute paths: a moved checkout or a replaced Python wants a new one.
if [ -d $venv ]; then
    if ! [ "$(cat $venv/.where 2>/dev/null)" = "$PWD" ] || ! $venv/bin/python -c "$new_enough" 2>/dev/null; then
        say "Making the virtual environment anew"
        rm -rf $venv
    fi
fi
if [ ! -d $venv ]; then
    "$python" -m venv $venv || {
        rm -rf $venv
        fail "Python could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
    }
    printf '%s' "$PWD" >$venv/.where
fi

digest() { cat "$@" | sha256sum | cut -c1-64; }
# pip … : shows what pip says only when it fails.
pip() {
    log=$(mktemp)
    if $venv/bin/python -m pip --disable-pip-version-check --no-input -q "$@" >"$log" 2>&1; then
        rm -f "$log"
    else
        tail -n 40 "$log" >&2
        rm -f "$log"
        return 1
    fi
}

# Not being root is the point of a virtual environment.
PIP_ROOT_USER_ACTION=ignore
export PIP_ROOT_USER_ACTION

wanted=$(digest requirements/build.lock "requirements/$profile.lock")
if [ "$(cat "$venv/.$profile" 2>/dev/null)" != "$wanted" ]; then
    say "Installing Python packages (a few minutes the first time)"
    pip install --require-hashes -r requirements/build.lock || fail "The Python packages could not be installed."
    # Source packages are built with the pinned tools above, not with whatever is newest today.
    pip install --require-hashes --no-build-isolation -r "requirements/$profile.lock" ||
        fail "The Python packages could not be installed."
    case $profile in
        runtime) contained=runtime ;;
        test) contained="runtime test" ;;
        dev) contained="runtime test dev" ;;
    esac
    for name in $contained; do
        digest requirements/build.lock "requirements/$name.lock" >"$venv/.$name"
    done
fi

wanted=$(digest setup.cfg pyproject.toml portal/__init__.py)
if [ "$(cat $venv/.portal 2>/dev/null)" != "$wanted" ]; then
    pip install --no-deps --no-build-isolation --editable . || fail "The portal could not be installed."
    printf '%s\n' "$wanted" >$venv/.portal
fi

$venv/bin/python tools/i18n.py compile
# Where the environment forbids Python to write bytecode, each of the portal's processes would compile all of it anew.
$venv/bin/python -m compileall -q portal plugins bench tests tools

# ---- a browser where the system has no package for it ---------------------------------------------------------------

if [ "$profile" != runtime ] && ! has_chromium; then
    say "Fetching Chromium for the browser tests"
    install=install
    [ "$(id -u)" != 0 ] || install="install --with-deps"
    # shellcheck disable=SC2086
    $venv/bin/python -m playwright $install chromium >/dev/null 2>&1 || {
        say "Chromium could not be fetched; browser tests cannot run here."
        [ "${CI:-}" != true ] || fail "CI needs them."
    }
fi
