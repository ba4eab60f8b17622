#!/usr/bin/env bash
# Builds what the emulated board boots, in the folder given: an arm64 kernel with gpio-sim and
# v4l2loopback, an initramfs, and a disk with Debian 12 on it. Needs root, and a Debian 12 (amd64)
# machine; README.md beside it has the packages. Each stage is kept: a second run is quick.
#
#   build.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(mkdir -p "${1:?name the folder to build in}" && cd "$1" && pwd)
recipe=("$here/build.sh")
. "$here/stages.sh"

SUITE=bookworm
# What the .deb depends on and recommends, and what starts a board.
GUEST=systemd,systemd-sysv,udev,kmod,python3,libstdc++6,python3-cryptography
EARLY='virtio_pci virtio_blk ext4 i6300esb'
LATER='virtio_console virtio_rng autofs4 configfs gpio-sim v4l2loopback'
SERVICES=("$here"/board*.service)

make_boards_apt() { make_apt "$SUITE"; }

make_kernel() {
  get_kernel apt linux-image-arm64 linux-source-6.1 v4l2loopback-dkms -- \
    '*/drivers/gpio/gpio-sim.c' '*/drivers/gpio/gpiolib.h' '*/kernel/irq/irq_sim.c'
}

# Debian's kernel has neither of the two; both are built beside it. gpio-sim needs irq_sim, which is
# off there: it is linked in, with irq_to_desc(), which modules may not call, put as the same thing
# by functions that they may.
make_modules() {
  local kernel=$out/kernel
  mkdir gpio loopback
  cp "$kernel/drivers/gpio/gpio-sim.c" gpio/gpio-sim-core.c
  cp "$kernel/drivers/gpio/gpiolib.h" gpio/
  sed 's/irq_to_desc(\([a-z_]*\))/irq_data_to_desc(irq_get_irq_data(\1))/' \
    "$kernel/kernel/irq/irq_sim.c" >gpio/irq_sim.c
  printf 'obj-m := gpio-sim.o\ngpio-sim-y := gpio-sim-core.o irq_sim.o\n' >gpio/Kbuild
  cp "$kernel"/usr/src/v4l2loopback-*/*.[ch] loopback/
  # Version 0.12 stamps pictures by the monotonic clock and does not say so, which later ones do in
  # this very place.
  sed -i '/b->timestamp.tv_usec = (ts.tv_nsec/a b->flags |= V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;' \
    loopback/v4l2loopback.c
  echo 'obj-m := v4l2loopback.o' >loopback/Kbuild
  build_modules gpio loopback
}

furnish_more() {
  printf 'gpio-sim\nv4l2loopback\n' >etc/modules-load.d/board.conf
  echo 'options v4l2loopback devices=1 video_nr=10 card_label=board exclusive_caps=0' \
    >etc/modprobe.d/board.conf
}

stage apt make_boards_apt
stage kernel make_kernel
stage modules make_modules
stage boot make_boot "$here/init"
stage native make_native
stage root make_root "$here/init" "${SERVICES[@]}"
stage disk make_disk "$here/init" "${SERVICES[@]}"
say 'kernel and disk are there'
