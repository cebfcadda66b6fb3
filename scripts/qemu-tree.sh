# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the scripts that build QEMU: its source, patches/, and our folders.

# shellcheck disable=SC2154 # root, build: workspace.sh's

# Where patches/ expects our folders: name in QEMU's hw/, folder here.
declare -A folders=([xen-evtchn]=hw-xen-evtchn [xen-accel]=accel [xen-hypercalls]=hw-xen-hypercalls)

# Sets $dsc and $patches, once scripts/setup has brought the former.
find_source() {
    for dsc in "$build"/source/qemu/*.dsc; do :; done
    # shellcheck disable=SC2034 # for who has sourced this
    mapfile -t patches < <(patch_files)
}

patch_files() {
    local folder=$root/patches
    if [[ -f $folder/series ]]; then
        sed -n "s|^[^#[:space:]][^[:space:]]*|$folder/&|p" "$folder/series"
    else
        find "$folder" -name '*.patch' 2>/dev/null | sort
    fi
}

# tree_name PATCH...: the tree that is wanted, in one word.
tree_name() {
    { basename "$dsc"; cat /dev/null "$@"; } | sha256sum | cut -d ' ' -f 1
}

apply_patches() { # TREE PATCH...
    local tree=$1 file
    shift
    for file; do
        echo "== $file"
        patch -d "$tree" -p1 --forward --fuzz=0 --no-backup-if-mismatch <"$file" || {
            echo "error: ${file##*/} does not apply to $(basename "$dsc" .dsc)"
            return 1
        }
    done
}

# unpack_tree TREE PATCH...: if TREE is not that already. It takes the name of the
# finished tree only when it is one. The old one's build directories go along, so
# that only what a patch changes is built anew.
unpack_tree() {
    local tree=$1 new=$build/unpacking-qemu old
    shift
    [[ ! -f $tree/.tree || $(<"$tree/.tree") != "$(tree_name "$@")" ]] || return 0
    need_space 3000 "QEMU's source and build"
    say "unpacking QEMU's source, with $# patches"
    rm -rf "$new"
    run_logged qemu-unpack dpkg-source --no-check -x "$dsc" "$new"
    run_logged qemu-patch apply_patches "$new" "$@"
    tree_name "$@" >"$new/.tree"
    for old in "$tree"/build{,-sanitize}; do
        [[ ! -d $old ]] || mv "$old" "$new/"
    done
    rm -rf "$tree"
    mv "$new" "$tree"
}

# Also because the same tree may serve a checkout that has moved.
link_folders() { # TREE
    local name
    for name in "${!folders[@]}"; do
        [[ $(readlink "$1/hw/$name") == "$root/${folders[$name]}" ]] ||
            ln -sfn "$root/${folders[$name]}" "$1/hw/$name"
    done
}

# configure_tree OBJECTS OPTION...: if it is not configured so already.
configure_tree() {
    local objects=$1
    shift
    [[ ! -f $objects/.configured || $(<"$objects/.configured") != "$*" ]] || return 0
    say "configuring QEMU"
    rm -rf "$objects"
    mkdir "$objects"
    cd "$objects" || exit
    run_logged qemu-configure ../configure "$@"
    echo "$*" >"$objects/.configured"
    cd "$root" || exit
}

# Tells how far ninja is: once a minute, and to a terminal all the time.
watch_ninja() {
    local pause=60 end='\n' now never
    [[ ! -t 2 ]] || { pause=2; end='\r'; }
    # Not sleep: one would outlive us, with the lock and the output in its hands.
    exec {never}<> <(:)
    while ! read -rt "$pause" -u "$never"; do
        now=$(grep -ao '^\[[0-9]*/[0-9]*\]' "$logs/qemu-build.log" | tail -n 1) || continue
        # shellcheck disable=SC2059
        printf "%s: building QEMU %s$end" "$self" "$now" >&2
    done
}

# build_tree TREE OBJECTS TARGET...: its log is BUILD/logs/qemu-build.log. $jobs is how
# many jobs at once, if it is set.
build_tree() {
    # A compilation is the same in whichever directory the tree is.
    export CCACHE_BASEDIR=$1 CCACHE_NOHASHDIR=1
    local watcher
    : >"$logs/qemu-build.log"
    watch_ninja &
    watcher=$!
    # shellcheck disable=SC2064
    trap "kill $watcher 2>/dev/null || true" EXIT
    run_logged qemu-build ninja ${jobs:+"-j$jobs"} -C "$2" "${@:3}"
    kill "$watcher" 2>/dev/null || true
}
