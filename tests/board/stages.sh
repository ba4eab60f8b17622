# What an emulated arm64 board is built by, stage by stage; sourced by the build.sh that names the
# kernel, the packages and the modules. Packages come from wherever this machine's own apt takes
# them, of the Debian that is asked for.
#
# Before: out (the folder to build in), recipe (what the stages depend on, files), and for the
# stages that read them
#   SUITE                the board's Debian
#   GUEST                its packages beside the essential ones, with commas
#   EARLY LATER          modules that the kernel cannot start without; those it may load later
#   SERVICES             the units that run on the board, files
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
CROSS=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-gcc
  CONFIG_DEBUG_INFO_BTF_MODULES=)

say() { printf 'board: %s (%d s)\n' "$*" "$SECONDS"; }

# stage NAME FUNCTION [FILE ...]: run FUNCTION in an empty folder NAME, unless that was finished
# before by this same recipe and with these same files.
current=start
stage() {
  local made="$out/$1/.made" sum
  sum=$(cat "$here/stages.sh" "${recipe[@]}" "${@:3}" | sha256sum)
  [ "$(cat "$made" 2>/dev/null)" != "$sum" ] || return 0
  say "$1"
  current=$1
  rm -rf "${out:?}/$1" && mkdir "$out/$1" && cd "$out/$1"
  "$2" >"$out/$1.log" 2>&1 # not in a condition: there bash would go on after an error
  printf '%s\n' "$sum" >"$made"
}

exec 3>&2
tell() {
  tail -n 20 "$out/$current.log"
  echo "board: stage $current failed: $out/$current.log"
}
trap 'status=$?; [ $status = 0 ] || tell >&3' EXIT

# This machine's own sources, in the folder sources, for Debian $1 in place of the one running here.
copy_sources() {
  local running
  running=$(. /etc/os-release && echo "$VERSION_CODENAME")
  shopt -s nullglob
  mkdir sources
  for file in /etc/apt/sources.lis[t] /etc/apt/sources.list.d/*.{list,sources}; do
    sed "s/\b$running\b/$1/g" "$file" >"sources/$(basename "$file")"
  done
}

# An apt of its own, for arm64 and Debian $1.
make_apt() {
  copy_sources "$1"
  mkdir -p state/lists/partial cache/archives/partial && : >status
  cat >apt.conf <<END
APT::Architecture "arm64"; APT::Architectures { "arm64"; };
Dir::State "$PWD/state"; Dir::State::status "$PWD/status"; Dir::Cache "$PWD/cache";
Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "$PWD/sources";
Acquire::Languages "none"; APT::Sandbox::User "root"; APT::Get::List-Cleanup "false";
END
  APT_CONFIG=$PWD/apt.conf apt-get update -q
}

# get FOLDER PACKAGE ...: download by the apt in that folder.
get() { APT_CONFIG=$out/$1/apt.conf apt-get download -q "${@:2}"; }

# get_kernel FOLDER IMAGE SOURCE [PACKAGE ...] -- FILE ...: by the apt in FOLDER, the kernel that
# IMAGE stands for with its headers, and of SOURCE (140 MB packed) these files only. PACKAGEs are
# unpacked beside it.
get_kernel() {
  local apt=$1 image version source=$3 common kbuild
  image=$(APT_CONFIG=$out/$1/apt.conf apt-cache depends "$2" |
    awk '/Depends: linux-image-[0-9]/ {print $2; exit}')
  version=${image#linux-image-} common=linux-headers-${image#linux-image-}
  common=${common%-arm64}-common
  shift 3
  local packages=()
  while [ "$1" != -- ]; do packages+=("$1") && shift; done
  shift
  get "$apt" "$image" "linux-headers-$version" "$common" "$source" busybox-static "${packages[@]}"
  kbuild=$(dpkg-deb --field linux-headers-*-arm64_*.deb Depends | grep -o 'linux-kbuild-[^ ,]*')
  apt-get download -q "$kbuild" # this machine's own: it runs here
  dpkg-deb --fsys-tarfile "$source"_*.deb | tar xO --wildcards './usr/src/*.tar.xz' | xz -dc -T0 |
    tar x --wildcards --strip-components=1 "$@"
  rm "$source"_*.deb
  for deb in *.deb; do dpkg-deb -x "$deb" .; done
  rm -- *.deb
  # Debian's headers name each other by absolute paths.
  sed -i "s#^include /usr/src/#include $PWD/usr/src/#" usr/src/linux-headers-*/Makefile
  echo "$version" >version
}

# Build a kernel module of each folder named: a Kbuild and sources.
build_modules() {
  local folder headers
  headers=$out/kernel/usr/src/linux-headers-$(cat "$out/kernel/version")
  for folder in "$@"; do
    make -s -C "$headers" "M=$PWD/$folder" "${CROSS[@]}" modules
    aarch64-linux-gnu-strip -g "$folder"/*.ko
  done
}

# The kernel, an initramfs that mounts the disk, and the few modules that the disk needs.
make_boot() {
  local version modules kernel=$out/kernel
  version=$(cat "$kernel/version") modules=$kernel/lib/modules/$(cat "$kernel/version")
  mkdir -p "$modules/extra" && cp "$out"/modules/*/*.ko "$modules/extra/"
  depmod -b "$kernel" "$version"
  gzip -dc "$kernel/boot/vmlinuz-$version" >vmlinuz 2>/dev/null ||
    cp "$kernel/boot/vmlinuz-$version" vmlinuz
  mkdir -p initrd/{bin,dev,proc,sys,new,modules} "root/usr/lib/modules/$version"
  cp "$kernel/bin/busybox" initrd/bin/ 2>/dev/null || cp "$kernel/usr/bin/busybox" initrd/bin/
  cp "$here/init" initrd/init && chmod 755 initrd/init
  local number=10 module
  for module in $(needed "$version" $EARLY); do
    unpacked "$module" >"initrd/modules/$((number++))-$(basename "$module" .xz)"
  done
  (cd initrd && find . | cpio -o -H newc --quiet | gzip -1) >initrd.img
  for module in $(needed "$version" $EARLY $LATER); do
    install -D -m 644 "$module" "root/usr/lib/modules/$version/${module#"$modules"/}"
  done
  cp "$modules"/modules.{builtin,builtin.modinfo,order} "root/usr/lib/modules/$version/"
  depmod -b root/usr "$version" 2>/dev/null || depmod -b root "$version"
}

# A module's file as the initramfs can load it without a word.
unpacked() {
  case $1 in
  *.xz) xz -dc "$1" ;;
  *) cat "$1" ;;
  esac
}

# The files of modules and of what they need, in the order in which they must be loaded.
needed() {
  local version=$1 module
  shift
  for module in "$@"; do
    modprobe -d "$out/kernel" -S "$version" --show-depends "$module" |
      awk '$1 == "insmod" {print $2}'
  done | awk '!seen[$0]++'
}

# Debian for this machine's own processor, configured natively: it is only made to be copied from.
make_native() {
  copy_sources "$SUITE"
  mmdebstrap --mode=root --variant=minbase --format=directory --include="$GUEST" \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$SUITE" root sources/*
}

# The same packages for arm64, unpacked without running any of their code, with the configuration of
# the native ones. That is right for packages whose scripts leave nothing in /usr that depends on
# the processor, as these.
make_root() {
  local native=$out/native/root packages
  packages=$(dpkg-query --admindir="$native/var/lib/dpkg" -W -f '${Package}\n' | sort -u)
  mkdir debs root && (cd debs && get apt $packages)
  mkdir -p root/usr/{bin,sbin,lib} && ln -s usr/bin usr/sbin usr/lib root/
  for deb in debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar x -C root --keep-directory-symlink \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'
  done
  rm -rf debs root/etc root/var && cp -a "$native/etc" "$native/var" root/
  rm -rf root/etc/ld.so.cache root/var/lib/apt/lists root/var/cache/apt/*.bin
  (cd "$native" && find usr -lname '/etc/alternatives/*' -o -path 'usr/lib/python3*.pyc') |
    (cd "$native" && cpio -pdmu --quiet "$out/root/root")
  (cd root && rename_processor)
  (cd root && furnish)
}

# Say arm64 where the native root said amd64: in the linker's paths, the alternatives and dpkg's own
# list.
rename_processor() {
  local file
  sed -i 's/x86_64-linux-gnu/aarch64-linux-gnu/g' etc/ld.so.conf.d/* var/lib/dpkg/info/*.list
  find etc/alternatives -type l -lname '*x86_64-linux-gnu*' | while read -r file; do
    ln -sfn "$(readlink "$file" | sed 's/x86_64-linux-gnu/aarch64-linux-gnu/')" "$file"
  done
  sed -i 's/^Architecture: amd64$/Architecture: arm64/' var/lib/dpkg/status
  echo arm64 >var/lib/dpkg/arch
  for file in var/lib/dpkg/info/*:amd64.*; do mv "$file" "${file/:amd64./:arm64.}"; done
}

# What makes it a board: its name, its disks, the units that run on it, and nothing that only costs
# time. Then what the build.sh adds by its own furnish_more.
furnish() {
  local unit
  echo board >etc/hostname
  printf '/dev/vda / ext4 rw,noatime 0 1\n/dev/vdb /payload ext4 ro 0 0\n' >etc/fstab
  mkdir -p payload && : >etc/machine-id
  cp -a "$out"/boot/root/usr/lib/modules usr/lib/
  # An emulated processor takes its time to start; the box's own units say for themselves how long
  # they may take.
  mkdir -p etc/systemd/system.conf.d
  printf '[Manager]\nDefaultTimeoutStartSec=600\nDefaultDeviceTimeoutSec=600\n' \
    >etc/systemd/system.conf.d/board.conf
  install -m 644 -t etc/systemd/system "${SERVICES[@]}"
  for unit in "${SERVICES[@]##*/}"; do
    ln -s "../$unit" etc/systemd/system/multi-user.target.wants/
  done
  for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer getty.target serial-getty@ttyAMA0.service \
    systemd-logind.service systemd-user-sessions.service systemd-update-utmp.service \
    systemd-update-utmp-runlevel.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount \
    systemd-journal-catalog-update.service systemd-update-done.service ldconfig.service \
    systemd-hwdb-update.service; do
    ln -sf /dev/null "etc/systemd/system/$unit"
  done
  furnish_more
}

# An ordinary ext4 with its journal, as an SD card has it: the power will be cut.
make_disk() {
  truncate -s 2G disk.raw
  mke2fs -q -t ext4 -L board -d "$out/root/root" disk.raw
}
