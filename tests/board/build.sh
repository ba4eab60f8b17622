#!/usr/bin/env bash
# Builds what the emulated board boots, in the folder given: an arm64 kernel with gpio-sim and v4l2loopback, an
# initramfs, and a disk with Debian 12 on it. Needs root, and a Debian 12 (amd64) machine; README.md beside it has the
# packages. Packages come from wherever this machine's own apt takes them. Each stage is kept: a second run is quick.
#
#   build.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(mkdir -p "${1:?name the folder to build in}" && cd "$1" && pwd)
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

# What the guest has beside Debian's essential packages: what the .deb depends on, and what starts a board.
GUEST=systemd,systemd-sysv,udev,kmod,python3,libstdc++6
# What the kernel cannot start without, and what it may load later.
EARLY='virtio_pci virtio_blk ext4 i6300esb'
LATER='virtio_console virtio_rng autofs4 configfs gpio-sim v4l2loopback'
CROSS=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-gcc CONFIG_DEBUG_INFO_BTF_MODULES=)

say() { printf 'board: %s (%d s)\n' "$*" "$SECONDS"; }

# stage NAME FUNCTION [FILE ...]: run FUNCTION in an empty folder NAME, unless that was finished before by this same
# script and with these same files.
current=start
stage() {
  local made="$out/$1/.made" recipe
  recipe=$(cat "$here/build.sh" "${@:3}" | sha256sum)
  [ "$(cat "$made" 2>/dev/null)" != "$recipe" ] || return 0
  say "$1"
  current=$1
  rm -rf "${out:?}/$1" && mkdir "$out/$1" && cd "$out/$1"
  "$2" >"$out/$1.log" 2>&1 # not in a condition: there bash would go on after an error
  printf '%s\n' "$recipe" >"$made"
}

exec 3>&2
trap 'status=$?; [ $status = 0 ] || { tail -n 20 "$out/$current.log"; echo "board: stage $current failed: $out/$current.log"; } >&3' EXIT

# An apt of its own, for arm64, with this machine's own sources.
make_apt() {
  mkdir -p state/lists/partial cache/archives/partial && : >status
  cat >apt.conf <<END
APT::Architecture "arm64"; APT::Architectures { "arm64"; };
Dir::State "$PWD/state"; Dir::State::status "$PWD/status"; Dir::Cache "$PWD/cache";
Acquire::Languages "none"; APT::Sandbox::User "root"; APT::Get::List-Cleanup "false";
END
  APT_CONFIG=$PWD/apt.conf apt-get update -q
}

get() { APT_CONFIG=$out/apt/apt.conf apt-get download -q "$@"; }

get_kernel() {
  local image version
  image=$(APT_CONFIG=$out/apt/apt.conf apt-cache depends linux-image-arm64 | awk '/Depends: linux-image-[0-9]/ {print $2; exit}')
  version=${image#linux-image-}
  get "$image" "linux-headers-$version" "linux-headers-${version%-arm64}-common" linux-source-6.1 v4l2loopback-dkms \
    busybox-static
  apt-get download -q linux-kbuild-6.1 # this machine's own: it runs here
  for deb in linux-image* linux-headers* linux-kbuild* v4l2loopback* busybox*; do dpkg-deb -x "$deb" .; done
  # Only the files that gpio-sim is made of, of a source of 140 MB packed.
  dpkg-deb --fsys-tarfile linux-source* | tar xO --wildcards './usr/src/*.tar.xz' | xz -dc -T0 |
    tar x --wildcards --strip-components=1 '*/drivers/gpio/gpio-sim.c' '*/drivers/gpio/gpiolib.h' '*/kernel/irq/irq_sim.c'
  rm -- *.deb
  # Debian's headers name each other by absolute paths.
  sed -i "s#^include /usr/src/#include $PWD/usr/src/#" usr/src/linux-headers-*/Makefile
  echo "$version" >version
}

# Debian's kernel has neither of the two; both are built beside it. gpio-sim needs irq_sim, which is off there: it is
# linked in, with irq_to_desc(), which modules may not call, put as the same thing by functions that they may.
make_modules() {
  local kernel=$out/kernel headers
  headers=$kernel/usr/src/linux-headers-$(cat "$kernel/version")
  mkdir gpio loopback
  cp "$kernel/drivers/gpio/gpio-sim.c" gpio/gpio-sim-core.c
  cp "$kernel/drivers/gpio/gpiolib.h" gpio/
  sed 's/irq_to_desc(\([a-z_]*\))/irq_data_to_desc(irq_get_irq_data(\1))/' "$kernel/kernel/irq/irq_sim.c" >gpio/irq_sim.c
  printf 'obj-m := gpio-sim.o\ngpio-sim-y := gpio-sim-core.o irq_sim.o\n' >gpio/Kbuild
  cp "$kernel"/usr/src/v4l2loopback-*/*.[ch] loopback/
  # Version 0.12 stamps pictures by the monotonic clock and does not say so, which later ones do in this very place.
  sed -i '/b->timestamp.tv_usec = (ts.tv_nsec/a b->flags |= V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;' loopback/v4l2loopback.c
  echo 'obj-m := v4l2loopback.o' >loopback/Kbuild
  for folder in gpio loopback; do
    make -s -C "$headers" "M=$PWD/$folder" "${CROSS[@]}" modules
    aarch64-linux-gnu-strip -g "$folder"/*.ko
  done
}

# The kernel, an initramfs that mounts the disk, and the few modules that the disk needs.
make_boot() {
  local version modules
  version=$(cat "$out/kernel/version") modules=$out/kernel/lib/modules/$(cat "$out/kernel/version")
  mkdir -p "$modules/extra" && cp "$out"/modules/*/*.ko "$modules/extra/" && depmod -b "$out/kernel" "$version"
  gzip -dc "$out/kernel/boot/vmlinuz-$version" >vmlinuz 2>/dev/null || cp "$out/kernel/boot/vmlinuz-$version" vmlinuz
  mkdir -p initrd/{bin,dev,proc,sys,new,modules} "root/usr/lib/modules/$version"
  cp "$out/kernel/bin/busybox" initrd/bin/
  cp "$here/init" initrd/init && chmod 755 initrd/init
  local number=10 module
  for module in $(needed "$version" $EARLY); do
    cp "$module" "initrd/modules/$((number++))-$(basename "$module")"
  done
  (cd initrd && find . | cpio -o -H newc --quiet | gzip -1) >initrd.img
  for module in $(needed "$version" $EARLY $LATER); do
    install -D -m 644 "$module" "root/usr/lib/modules/$version/${module#"$modules"/}"
  done
  cp "$modules"/modules.{builtin,builtin.modinfo,order} "root/usr/lib/modules/$version/"
  depmod -b root/usr "$version" 2>/dev/null || depmod -b root "$version"
}

# The files of modules and of what they need, in the order in which they must be loaded.
needed() {
  local version=$1 module
  shift
  for module in "$@"; do
    modprobe -d "$out/kernel" -S "$version" --show-depends "$module" | awk '$1 == "insmod" {print $2}'
  done | awk '!seen[$0]++'
}

# Debian for this machine's own processor, configured natively: it is only made to be copied from.
make_native() {
  local sources
  shopt -s nullglob
  sources=(/etc/apt/sources.lis[t] /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources)
  mmdebstrap --mode=root --variant=minbase --format=directory --include="$GUEST" \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' bookworm root "${sources[@]}"
}

# The same packages for arm64, unpacked without running any of their code, with the configuration of the native ones.
# That is right for packages whose scripts leave nothing in /usr that depends on the processor, as these.
make_root() {
  local native=$out/native/root packages
  packages=$(dpkg-query --admindir="$native/var/lib/dpkg" -W -f '${Package}\n' | sort -u)
  mkdir debs root && (cd debs && get $packages)
  mkdir -p root/usr/{bin,sbin,lib} && ln -s usr/bin usr/sbin usr/lib root/
  for deb in debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar x -C root --keep-directory-symlink --exclude='./usr/share/doc/*' \
      --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*'
  done
  rm -rf debs root/etc root/var && cp -a "$native/etc" "$native/var" root/
  rm -rf root/etc/ld.so.cache root/var/lib/apt/lists root/var/cache/apt/*.bin
  (cd "$native" && find usr -lname '/etc/alternatives/*' -o -path 'usr/lib/python3*.pyc') | (cd "$native" && cpio -pdmu --quiet "$out/root/root")
  (cd root && rename_processor)
  (cd root && furnish)
}

# Say arm64 where the native root said amd64: in the linker's paths, the alternatives and dpkg's own list.
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

# What makes it this board: its name, its disks, the unit that runs the test, and nothing that only costs time.
furnish() {
  echo board >etc/hostname
  printf '/dev/vda / ext4 rw,noatime 0 1\n/dev/vdb /payload ext4 ro 0 0\n' >etc/fstab
  mkdir -p payload && : >etc/machine-id
  cp -a "$out"/boot/root/usr/lib/modules usr/lib/
  printf 'gpio-sim\nv4l2loopback\n' >etc/modules-load.d/board.conf
  # An emulated processor takes its time to start; the box's own units say for themselves how long they may take.
  mkdir -p etc/systemd/system.conf.d
  printf '[Manager]\nDefaultTimeoutStartSec=600\nDefaultDeviceTimeoutSec=600\n' >etc/systemd/system.conf.d/board.conf
  echo 'options v4l2loopback devices=1 video_nr=10 card_label=board exclusive_caps=0' >etc/modprobe.d/board.conf
  install -m 644 -t etc/systemd/system "$here"/board*.service
  ln -s ../board.service ../board-wires.service ../board-camera.service etc/systemd/system/multi-user.target.wants/
  for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer getty.target serial-getty@ttyAMA0.service systemd-logind.service systemd-user-sessions.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-binfmt.service \
    proc-sys-fs-binfmt_misc.automount systemd-journal-catalog-update.service systemd-update-done.service \
    ldconfig.service systemd-hwdb-update.service; do
    ln -sf /dev/null "etc/systemd/system/$unit"
  done
}

# An ordinary ext4 with its journal, as an SD card has it: the power will be cut.
make_disk() {
  truncate -s 2G disk.raw
  mke2fs -q -t ext4 -L board -d "$out/root/root" disk.raw
}

stage apt make_apt
stage kernel get_kernel
stage modules make_modules
stage boot make_boot "$here/init"
stage native make_native
stage root make_root "$here/init" "$here"/*.service
stage disk make_disk "$here/init" "$here"/*.service
say 'kernel and disk are there'
