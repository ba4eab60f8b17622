#!/usr/bin/env bash
# Gets what runs onnxruntime's aarch64 wheel on this machine, into the folder given: Debian's QEMU
# for single programs, Debian's Python for arm64 with the libraries that it needs, and the wheels of
# packaging/cp311.txt. Needs a Debian on amd64, no root; about 90 MB are downloaded, once.
#
#   kit.sh FOLDER PYTHON
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=$(command -v "${2:?name a Python that has pip}")
out=$(mkdir -p "${1:?name the folder to fill}" && cd "$1" && pwd)
recipe=("$here/kit.sh" "$root/packaging/cp311.txt")
. "$root/tests/board/stages.sh"

# That of Debian 12 crashes on onnxruntime; this one is linked statically and runs there, too.
QEMU_SUITE=trixie
# Debian 12 has Python 3.11.
SUITE=bookworm
PACKAGES=(libc6 libgcc-s1 libstdc++6 zlib1g libbz2-1.0 liblzma5 libffi8 libexpat1 libuuid1 libssl3
  libpython3.11-minimal libpython3.11-stdlib python3.11-minimal)
WHEELS=(onnxruntime numpy flatbuffers packaging protobuf pillow simplejpeg)

make_qemus_apt() {
  make_apt "$QEMU_SUITE"
  sed -i 's/arm64/amd64/g' apt.conf
  APT_CONFIG=$PWD/apt.conf apt-get update -q
}

make_pythons_apt() { make_apt "$SUITE"; }

# unpack_packages FOLDER PACKAGE ...: by the apt in that folder, here.
unpack_packages() {
  get "$@"
  for deb in *.deb; do dpkg-deb -x "$deb" .; done
  rm -- *.deb
}

make_qemu() {
  unpack_packages qemus-apt qemu-user
  find usr/bin -mindepth 1 ! -name qemu-aarch64 -delete # 400 MB for other processors
}

make_root() { unpack_packages pythons-apt "${PACKAGES[@]}"; }

make_wheels() {
  local list=$root/packaging/cp311.txt wheel
  for wheel in "${WHEELS[@]}"; do
    awk -v wanted="$wheel" '/^[a-z]/ { on = index($0, wanted "==") == 1 } on' "$list"
  done >list.txt
  "$python" -m pip download --quiet --no-deps --only-binary :all: --require-hashes \
    --implementation cp --python-version 311 --platform manylinux_2_28_aarch64 \
    --platform manylinux_2_27_aarch64 --platform manylinux_2_17_aarch64 \
    --platform manylinux2014_aarch64 --dest wheels --requirement list.txt
  for wheel in wheels/*.whl; do "$python" -m zipfile -e "$wheel" packages; done
  rm -r wheels
}

stage qemus-apt make_qemus_apt
stage pythons-apt make_pythons_apt
stage qemu make_qemu
stage root make_root
stage wheels make_wheels
say 'QEMU, Python and wheels are there'
