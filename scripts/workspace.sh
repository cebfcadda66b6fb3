# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the scripts beside it: paths, messages and checks. Progress and errors go
# to standard error, one line each.

# Parsed output of apt, dpkg and QEMU must not depend on the user's language.
export LC_ALL=C

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${XENKVM_BUILD_DIR:-$root/build}
[[ $build == /* ]] || build=$PWD/$build
logs=$build/logs
self=${0##*/}

say() { printf '%s: %s\n' "$self" "$*" >&2; }

# End with 1 if what the user asked for failed; with 2 at wrong usage, or if this host
# cannot do it.
fail() { say "$*"; exit 1; }
refuse() { say "$*"; exit 2; }

# Prints the comment block at the head of the calling script.
usage() { sed -n '/^# usage:/,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

# Decimal digits only, so that a value can be used in arithmetic as it is.
is_number() { [[ $1 =~ ^(0|[1-9][0-9]{0,8})$ ]]; }

# number_at FILE OFFSET SIZE: prints the number there, of 1, 2 or 4 bytes.
number_at() { od -An -v -t "u$3" -j "$2" -N "$3" "$1" 2>/dev/null | tr -d ' '; }

# make_build_dir: makes the build directory and its log folder, or refuses.
make_build_dir() {
    local out
    out=$(mkdir -p "$build" "$logs" 2>&1) && [[ -w $build ]] && return
    case $out in
    *'No space left'*) refuse "no disk space for $build: free some, or set XENKVM_BUILD_DIR" ;;
    *) refuse "cannot write to $build: make it writable, or set XENKVM_BUILD_DIR" ;;
    esac
}

# need_space MIB WHAT: refuses if the disk lacks so much space for WHAT.
need_space() {
    local have
    have=$(df --output=avail -m "$build" | tail -n 1)
    ((have >= $1)) && return
    refuse "no disk space: $2 needs $1 MiB in $build, which has $((have)) MiB: free some, or set XENKVM_BUILD_DIR"
}

# why_failed LOG: prints the line of the log that tells the cause best.
why_failed() {
    local line
    line=$(grep -aE 'No space left on device|not enough free space|have enough free space' "$1" | tail -n 1) || true
    [[ -z $line ]] || { echo "no disk space: free some, or set XENKVM_BUILD_DIR"; return; }
    line=$(grep -aE 'Temporary failure resolving|Could not resolve|Could not connect|Cannot initiate|Network is unreachable|Connection (failed|timed out)|connection timed out' "$1" | tail -n 1) || true
    [[ -z $line ]] || { echo "no network: the Debian mirror cannot be reached: connect this machine and try again"; return; }
    line=$(sed -nE "s/^E: The repository '([^']*) Release' (does not have|no longer has) a Release file.*/\\1/p" "$1" | head -n 1)
    [[ -z $line ]] || { echo "no $line: the Debian mirror has this release no longer"; return; }
    line=$(grep -aiE '^E: |error[: ]|fatal:|FAILED' "$1" | head -n 1) || true
    echo "${line:-it gave no reason}"
}

# run_logged NAME COMMAND...: runs it with its output in $logs/NAME.log. If it fails,
# prints the log's last lines and name, and one line that says why, and ends the
# script: with 2 if this host lacks something.
run_logged() {
    local log=$logs/$1.log name=$1 why
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    why=$(why_failed "$log")
    case $why in no\ *) refuse "$name: $why (log: $log)" ;; esac
    tail -n 15 "$log" >&2
    fail "$name failed: $why (log: $log)"
}

# One script at a time changes the build directory.
lock_build_dir() {
    exec 9>"$build/.lock"
    flock -n 9 || { say "waiting for another script that uses $build"; flock 9; }
}
unlock_build_dir() { exec 9>&-; }

# Sets $release to 12 or 13, and $codename.
know_release() {
    # shellcheck disable=SC1091
    release=$(. /etc/os-release 2>/dev/null && echo "${ID:-}-${VERSION_ID:-}") || true
    case $release in
    debian-12) release=12 codename=bookworm ;;
    debian-13) release=13 codename=trixie ;;
    *) refuse "this system (${release:-unknown}) is not supported: use Debian 12 or 13" ;;
    esac
    [[ $(dpkg --print-architecture) == amd64 ]] || refuse "this machine is not amd64: only that is supported"
    export release codename
}

# libraries_of PROGRAM: the library path of a program in an unpacked package, where
# the system's loader would not look.
libraries_of() {
    local prefix=${1%/usr/*}
    [[ $prefix != "$1" && -n $prefix ]] || return 0
    echo "$prefix/usr/lib/x86_64-linux-gnu:$prefix/lib/x86_64-linux-gnu"
}

# What QEMU's -accel takes for a Xen guest on KVM.
export xen_kvm=kvm,xen-version=0x40011,kernel-irqchip=split

# kvm_lacks QEMU [ACCEL]: prints why this host's KVM cannot run Xen guests, or what ACCEL
# says; nothing if it can. /dev/kvm is not enough: this starts a virtual machine to find
# out.
kvm_lacks() {
    local out firmware=$build/debian-qemu/usr/share
    out=$(echo quit | LD_LIBRARY_PATH=$(libraries_of "$1") "$1" -S -nodefaults -display none -monitor stdio \
        -L "$firmware/qemu" -L "$firmware/seabios" -machine pc -accel "${2:-$xen_kvm}" 2>&1 >/dev/null) && return
    out=${out##*$'\n'}
    echo "${out##*split: }"
}
