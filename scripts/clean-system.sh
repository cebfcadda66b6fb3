# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by scripts/package-test and scripts/package-system: a clean Debian of this
# machine's release in a directory, with what our packages depend on, and without them.

# make_clean_system PACKAGE...: sets packages (our .deb files) and tree (the directory,
# under $build), and installs there what the packages need, and PACKAGEs. The directory is
# removed when the script ends, after leave_clean_system, if the script has that.
make_clean_system() {
    local depends package
    ((EUID == 0)) || refuse "a clean system is entered by chroot, as root: run it as root"
    packages=("$build"/packages/*.deb)
    [[ -f ${packages[0]} ]] || refuse "no packages in $build/packages: run scripts/package first"
    know_release
    "$root/scripts/setup" "clean-$release" || exit
    need_space 3000 'a clean system'
    tree=$(mktemp -d "$build/$self.XXXXXX")
    trap remove_clean_system EXIT
    trap 'exit 130' INT TERM
    tar -xf "$build/clean-$release/root.tar" -C "$tree" --exclude='./dev/*'
    mount -t proc proc "$tree/proc"
    mount -t sysfs -o ro sys "$tree/sys"
    mount --bind /dev "$tree/dev"
    mount --bind /dev/pts "$tree/dev/pts"
    cp -L /etc/resolv.conf "$tree/etc/"
    rm -f "$tree"/etc/apt/sources.list.d/*
    # The packages were built with the libraries of this system, which may have updates.
    # shellcheck disable=SC2016 # the format's variables are apt's
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        grep -E " ($codename|stable|oldstable)(-updates|-security)? main\$" | sort -u >"$tree/etc/apt/sources.list"
    [[ ! -d /etc/apt/apt.conf.d ]] || cp -n /etc/apt/apt.conf.d/*proxy* "$tree/etc/apt/apt.conf.d/" 2>/dev/null || true
    printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
    chmod +x "$tree/usr/sbin/policy-rc.d"
    # A clean system comes without documents; the examples are some.
    echo 'path-include=/usr/share/doc/xenkvm/*' >"$tree/etc/dpkg/dpkg.cfg.d/zz-xenkvm"

    say "installing what the packages depend on, in a clean Debian $release"
    depends=$(for package in "${packages[@]}"; do dpkg-deb -f "$package" Depends; echo ,; done |
        tr -d '\n' | tr ',' '\n' | grep -v xenkvm | paste -sd,)
    run_logged "$self-update" inside apt-get -q update
    run_logged "$self-depends" inside apt-get -q -y --no-install-recommends \
        satisfy "$depends$(printf ', %s' "$@")"
    rm -f "$tree"/var/cache/apt/archives/*.deb
}

inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive \
    ${http_proxy:+http_proxy="$http_proxy"} chroot "$tree" "$@"; }

release_mounts() {
    local place
    for place in proc sys dev/pts dev; do
        ! mountpoint -q "$tree/$place" || umount "$tree/$place" || true
    done
}

remove_clean_system() {
    local process
    ! declare -F leave_clean_system >/dev/null || leave_clean_system
    # What libvirt has left running in there.
    for process in /proc/[0-9]*; do
        [[ $(readlink "$process/root") != "$tree" ]] || kill "${process##*/}" 2>/dev/null || true
    done
    sleep 1
    release_mounts
    # Never into a directory of this system's.
    rm -rf --one-file-system "$tree"
}
