# Copyright (c) 2026, idmops.idm contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes .venv with all that the Makefile's targets need. As root on a Debian-like system it installs the missing
# OS packages as well; elsewhere it names them and stops. Call it from the repository's root: bash tools/set-up.sh
#   topology, screenshots     as an argument: only what make topology or make screenshots needs besides
#   PYTHON=/path/to/python3   the Python for .venv; otherwise the first that fits

set -euo pipefail
export LC_ALL=C.UTF-8

wanted_for=${1:-all}
logs=build/logs
log=$logs/set-up.log
mkdir -p "$logs"
: > "$log"
began=$SECONDS

say() { printf '[%6s s] set-up: %s\n' "$((SECONDS - began))" "$*"; }

stop() {
    printf 'set-up: %s\n' "$@" >&2
    exit 1
}

# Runs a command up to three times; its output goes to the log. $1 is what a reader should call it.
persist() {
    local what=$1 try
    shift
    for try in 1 2 3; do
        if "$@" >> "$log" 2>&1; then
            return 0
        fi
        if [ "$try" -lt 3 ]; then
            say "$what failed; trying again in $((try * 5)) s"
            sleep $((try * 5))
        fi
    done
    tail -n 25 "$log" | sed 's/^/    /' >&2
    stop "$what failed three times. The end of $log is above. If this is the network, run the same command again."
}

# Whether a Python can make a virtual environment, and has what python-ldap compiles against. The executable is asked,
# not its name: python3 may be a shim of a version manager, with no Python behind it.
fits() {
    "$1" - 2> /dev/null <<'PYTHON'
import os, sys, sysconfig
import ensurepip, venv
fits = (3, 11) <= sys.version_info < (3, 15) and os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h"))
sys.exit(not fits)
PYTHON
}

find_python() {
    local candidate path
    for candidate in ${PYTHON:-python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11}; do
        path=$(command -v "$candidate" 2> /dev/null) || continue
        if fits "$path"; then
            echo "$path"
            return 0
        fi
    done
    return 1
}

java_fits() {
    local java=java version
    if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then
        java=$JAVA_HOME/bin/java
    fi
    version=$("$java" -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1) || return 1
    [ "${version:-0}" -ge 17 ]
}

# Whether a C program that includes a header compiles.
header() { echo "#include <$1>" | cc -E - > /dev/null 2>&1; }

have_package() { apt-cache show "$1" > /dev/null 2>&1; }

# Prints what is missing, one need a line.
needs() {
    if [ "$wanted_for" = topology ]; then
        compgen -G "/usr/lib/postgresql/*/bin/initdb" > /dev/null || command -v initdb > /dev/null || echo postgresql
        PATH=$PATH:/usr/sbin:/usr/local/sbin command -v haproxy > /dev/null || echo haproxy
        PATH=$PATH:/usr/sbin:/sbin command -v ss > /dev/null || echo iproute2
        return 0
    fi
    if [ "$wanted_for" = screenshots ]; then
        command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null || echo chromium
        return 0
    fi
    command -v git > /dev/null || echo git
    find_python > /dev/null || echo python
    java_fits || echo java
    command -v mvn > /dev/null || echo maven
    command -v ssh-keygen > /dev/null || echo ssh
    if header stdio.h; then
        header ldap.h || echo ldap
        header sasl/sasl.h || echo sasl
    else
        printf '%s\n' compiler ldap sasl
    fi
}

# Prints the Debian packages for needs, after the package lists are there (names differ among releases).
packages() {
    local need
    for need in "$@"; do
        case $need in
            git) echo git ;;
            python) printf '%s\n' python3 python3-venv python3-dev ;;
            java) if have_package openjdk-17-jre-headless; then echo openjdk-17-jre-headless; else echo default-jre-headless; fi ;;
            maven) echo maven ;;
            ssh) echo openssh-client ;;
            compiler) printf '%s\n' gcc libc6-dev ;;
            ldap) if have_package libldap-dev; then echo libldap-dev; else echo libldap2-dev; fi ;;
            sasl) echo libsasl2-dev ;;
            postgresql | haproxy | iproute2 | chromium) echo "$need" ;;
        esac
    done
}

describe() {
    case $1 in
        git) echo "git" ;;
        python) echo "Python 3.11 to 3.14 with its venv module and header files (Debian: python3 python3-venv python3-dev; another one: PYTHON=/path/to/python3)" ;;
        java) echo "Java 17 or newer (Debian: openjdk-17-jre-headless or default-jre-headless)" ;;
        maven) echo "Maven, for the download of the test servers (Debian: maven)" ;;
        ssh) echo "ssh-keygen, which ansible-test calls (Debian: openssh-client)" ;;
        compiler) echo "a C compiler, for python-ldap (Debian: gcc libc6-dev)" ;;
        ldap) echo "OpenLDAP's header files, for python-ldap (Debian: libldap-dev)" ;;
        sasl) echo "Cyrus SASL's header files, for python-ldap (Debian: libsasl2-dev)" ;;
        postgresql) echo "PostgreSQL 12 or newer (Debian: postgresql)" ;;
        haproxy) echo "HAProxy 2.2 or newer (Debian: haproxy)" ;;
        iproute2) echo "ss (Debian: iproute2)" ;;
        chromium) echo "Chromium (Debian: chromium)" ;;
    esac
}

install_missing() {
    local missing wanted
    mapfile -t missing < <(needs)
    if [ "${#missing[@]}" -eq 0 ]; then
        return 0
    fi
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
        echo "set-up: please install what is missing, or run this as root on a Debian-like system:" >&2
        for need in "${missing[@]}"; do echo "  - $(describe "$need")" >&2; done
        exit 1
    fi
    say "missing: ${missing[*]}; fetching the package lists"
    persist "apt-get update" apt-get update -q
    mapfile -t wanted < <(packages "${missing[@]}")
    say "installing ${wanted[*]}"
    persist "apt-get install" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${wanted[@]}"
    hash -r
    mapfile -t missing < <(needs)
    if [ "${#missing[@]}" -ne 0 ]; then
        echo "set-up: this system's packages do not bring all that is needed. Still missing:" >&2
        for need in "${missing[@]}"; do echo "  - $(describe "$need")" >&2; done
        exit 1
    fi
}

make_venv() {
    local python
    if ! { [ -x .venv/bin/python ] && fits .venv/bin/python && .venv/bin/python -m pip --version > /dev/null 2>&1; }; then
        python=$(find_python)
        say "making .venv with $("$python" --version 2>&1)"
        rm -rf .venv
        "$python" -m venv .venv >> "$log" 2>&1 || stop "$python -m venv .venv failed, see $log"
    fi
    say "installing the Python packages"
    persist "pip install" .venv/bin/python -m pip install --disable-pip-version-check --quiet \
        -r requirements.txt -r tests/requirements.txt
    .venv/bin/python -c 'import ansible, ldap, requests' || stop "the Python packages do not work, see above"
}

install_missing
if [ "$wanted_for" != all ]; then
    exit 0
fi
make_venv
say "$(.venv/bin/python -c 'import platform, ansible.release
print("ansible-core", ansible.release.__version__, "on Python", platform.python_version())')"
