#!/usr/bin/env bash
# Builds what the board with a libcamera camera boots, in the folder given: Debian 13 (whose
# libcamera knows vimc, the kernel's virtual media controller) on Debian 12's kernel 6.12, which
# this machine's compiler can build modules for. picamera2 is not in Debian; it comes from the
# Python package index. Needs root, and a Debian 12 (amd64) machine; ../README.md has the packages.
# Each stage is kept: a second run is quick.
#
#   build.sh FOLDER PYTHON        PYTHON has pip
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(mkdir -p "${1:?name the folder to build in}" && cd "$1" && pwd)
python=$(realpath --no-symlinks "${2:?name a Python with pip}")
recipe=("$folder/build.sh")
. "$folder/../stages.sh"

SUITE=trixie
# What the .deb depends on, what starts a board, and of what picamera2 imports what Debian has;
# numpy and Pillow are in the .deb.
GUEST=systemd,systemd-sysv,udev,kmod,python3,libstdc++6
GUEST+=,python3-libcamera,libcamera-ipa,python3-prctl,python3-piexif
EARLY='virtio_pci virtio_blk ext4 i6300esb'
LATER='virtio_console virtio_rng autofs4 vimc heap'
SERVICES=("$folder/board-picamera.service")
ingredients=("$here/init" "${SERVICES[@]}" "$folder/heap.c" "$folder/packages.txt"
  "$folder"/stand_ins/*.py "$folder"/stand_ins/pidng/*.py)

make_apts() { make_apt "$SUITE"; }
make_kernel_apt() { make_apt bookworm; }

make_kernel() {
  get_kernel kernel-apt linux-image-6.12-arm64 linux-source-6.12 -- \
    '*/drivers/media/test-drivers/vimc/*' '*/drivers/dma-buf/dma-heap.c' \
    '*/drivers/dma-buf/heaps/system_heap.c'
}

# Debian's kernel has neither vimc nor DMA heaps for arm64. picamera2 takes its buffers from the
# heap that a Pi calls "linux,cma"; here the kernel's ordinary memory stands in for the contiguous
# one, which no emulated device needs.
make_modules() {
  mkdir vimc heap
  cp "$out"/kernel/drivers/media/test-drivers/vimc/*.[ch] vimc/
  # libcamera runs vimc's sensor at its largest size, whatever is asked for: 4096 x 2160 takes a
  # second a picture here.
  sed -i -e '/define VIMC_FRAME_MAX_WIDTH/s/4096/640/' \
    -e '/define VIMC_FRAME_MAX_HEIGHT/s/2160/480/' vimc/vimc-common.h
  sed 's/\$(CONFIG_VIDEO_VIMC)/m/' "$out/kernel/drivers/media/test-drivers/vimc/Makefile" \
    >vimc/Kbuild
  cp "$folder/heap.c" heap/
  for file in dma-heap.c heaps/system_heap.c; do
    sed -e '/^\(subsys_initcall\|module_init\)(/d' -e 's/"system"/"linux,cma"/' \
      "$out/kernel/drivers/dma-buf/$file" >"heap/$(basename "$file")"
  done
  echo 'obj-m := heap.o' >heap/Kbuild
  build_modules vimc heap
}

# picamera2 and what of its needs Debian lacks, as wheels; no code of them runs here.
get_wheels() {
  local platforms=() tag
  for tag in manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014; do
    platforms+=(--platform "${tag}_aarch64")
  done
  "$python" -m pip download --no-deps --only-binary :all: --require-hashes --implementation cp \
    --python-version 313 "${platforms[@]}" --dest . --requirement "$folder/packages.txt"
}

# Put them where apt's python3-picamera2 would be; the program's environment sees that folder.
furnish_more() {
  local wheel
  for wheel in "$out"/wheels/*.whl; do
    "$python" -m zipfile -e "$wheel" usr/lib/python3/dist-packages
  done
  # pip would tell of those that others stand in for, or that only picamera2's other modules import.
  sed -i '/^Requires-Dist:/d' usr/lib/python3/dist-packages/picamera2-*/METADATA
  cp -r "$folder/stand_ins/." usr/lib/python3/dist-packages/
  printf 'vimc\nheap\n' >etc/modules-load.d/board.conf
}

stage apt make_apts
stage kernel-apt make_kernel_apt
stage kernel make_kernel
stage modules make_modules "$folder/heap.c"
stage boot make_boot "$here/init" "$folder/heap.c"
stage native make_native
stage wheels get_wheels "$folder/packages.txt"
stage root make_root "${ingredients[@]}"
stage disk make_disk "${ingredients[@]}"
say 'kernel and disk are there'
