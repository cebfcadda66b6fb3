# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the scripts that build QEMU: its source, patches/qemu/, and our folders.

# shellcheck disable=SC2154 # root, build: workspace.sh's

# Where patches/ expects our folders: name in QEMU's hw/, folder here.
declare -A folders=([xen-evtchn]=hw-xen-evtchn [xen-accel]=accel [xen-hypercalls]=hw-xen-hypercalls [xen-twins]=hw-xen-twins)

# Sets $dsc and $patches, once scripts/setup has brought the former.
find_source() {
    for dsc in "$build"/source/qemu/*.dsc; do :; done
    check_series
    # shellcheck disable=SC2034 # for the script that sources this
    mapfile -t patches < <(patch_files '')
}

# Prints the patches of a part of patches/qemu/series (faults, event-channels,
# accelerators, twins, migration, or '' for all) in its order.
patch_files() { # PART
    local folder=$root/patches/qemu
    sed -n "s|^${1:-[a-z][a-z-]*}/.*|$folder/&|p" "$folder/series"
}

# Refuses a patch that series forgets, which would else be left out without a word.
check_series() {
    local file
    while read -r file; do
        grep -qxF "${file#"$root/patches/qemu/"}" "$root/patches/qemu/series" ||
            refuse "${file#"$root/"} is not in patches/qemu/series: name it there"
    done < <(find "$root/patches/qemu" -name '*.patch')
}

# tree_name PATCH...: a word that names this source with these patches.
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

# unpack_tree TREE PATCH...: unpacks and patches QEMU's source, unless TREE is that
# already. The directory gets its name only when it is complete. It gets the old
# tree's build directories, so that only what a patch changes is built again.
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
    for old in "$tree"/build{,-sanitize,-packaged}; do
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

# configure_tree OBJECTS OPTION...: configures, unless OBJECTS has these options.
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

# Prints ninja's progress: once a minute, and on a terminal all the time.
watch_ninja() {
    local pause=60 end='\n' now never
    [[ ! -t 2 ]] || { pause=2; end='\r'; }
    # No sleep command: it would outlive this script, and keep its lock and output.
    exec {never}<> <(:)
    while ! read -rt "$pause" -u "$never"; do
        now=$(grep -ao '^\[[0-9]*/[0-9]*\]' "$logs/qemu-build.log" | tail -n 1) || continue
        # shellcheck disable=SC2059
        printf "%s: building QEMU %s$end" "$self" "$now" >&2
    done
}

# build_tree TREE OBJECTS TARGET...: builds, with the log in BUILD/logs/qemu-build.log;
# $jobs, if set, is the number of parallel jobs.
build_tree() {
    # So that ccache finds a compilation again when the tree has another directory.
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
