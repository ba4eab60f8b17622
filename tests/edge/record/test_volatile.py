from pathlib import Path

import pytest

from edge.record.volatile import volatile_storage, warn_if_volatile

DISK = "27 1 179:2 / / rw,noatime - ext4 /dev/root rw"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The ``/proc`` and ``/sys`` of a machine with a card and other block devices."""
    root = tmp_path / "machine"
    for number, name in (("179:2", "mmcblk0p2"), ("253:0", "zram0"), ("1:0", "ram0")):
        (root / "sys/devices" / name).mkdir(parents=True)
        device = root / "sys/dev/block" / number
        device.parent.mkdir(parents=True, exist_ok=True)
        device.symlink_to(root / "sys/devices" / name)
    loop = root / "sys/devices/loop3"
    (loop / "loop").mkdir(parents=True)
    (loop / "loop/backing_file").write_text("/dev/shm/disk.img\n")
    (root / "sys/dev/block/7:3").symlink_to(loop)
    mapper = root / "sys/devices/dm-0"
    (mapper / "slaves").mkdir(parents=True)
    (mapper / "slaves/zram0").symlink_to(root / "sys/devices/zram0")
    (root / "sys/dev/block/254:0").symlink_to(mapper)
    return root


def says(machine: Path, *mounts: str, folder: str = "/srv/log", cmdline: str = "") -> str:
    """The reason found for *folder*, with those mounts."""
    (machine / "proc/self").mkdir(parents=True, exist_ok=True)
    (machine / "proc/self/mountinfo").write_text("\n".join(mounts) + "\n")
    (machine / "proc/cmdline").write_text(cmdline + "\n")
    return volatile_storage(Path(folder), machine)


def test_a_disk_is_no_memory(machine: Path) -> None:
    """Nor is one that is mounted below memory."""
    assert says(machine, DISK) == ""
    assert says(machine, DISK, "30 27 0:30 / /srv rw - tmpfs t rw",
                "31 30 179:2 / /srv/log rw - ext4 /dev/root rw") == ""  # fmt: skip
    assert says(machine, DISK, "30 27 0:30 / /srv/lo rw - tmpfs t rw") == ""


@pytest.mark.parametrize("kind", ["tmpfs", "ramfs"])
def test_a_file_system_in_memory_is_named(machine: Path, kind: str) -> None:
    """Also when it hides a disk on the same place."""
    mount = f"31 27 0:31 / /srv/log rw - {kind} none rw"
    assert says(machine, DISK, mount) == f"/srv/log is memory ({kind})"
    hidden = "30 27 179:2 / /srv/log rw - ext4 /dev/root rw"
    assert says(machine, DISK, hidden, mount) == f"/srv/log is memory ({kind})"


def test_a_name_with_a_blank_is_found(machine: Path) -> None:
    """The mount table escapes it."""
    mount = r"31 27 0:31 / /srv/my\040disk rw - tmpfs none rw"
    assert says(machine, DISK, mount, folder="/srv/my disk/log") == "/srv/my disk is memory (tmpfs)"


def test_an_overlay_is_what_its_upper_folder_is(machine: Path) -> None:
    """A root overlay of overlayroot, one over a folder, one over a root in memory, one on disk."""
    root = (
        "27 1 0:26 / / rw - overlay overlayroot rw,lowerdir=/ro,upperdir=/media/rw/over,workdir=w"
    )
    memory = "28 27 0:24 / /media/rw rw - tmpfs tmpfs-root rw"
    reason = "/ is an overlay whose changes are in memory (/media/rw is memory (tmpfs))"
    assert says(machine, root, memory) == reason
    assert says(machine, root, "28 27 179:2 / /media/rw rw - ext4 /dev/root rw") == ""
    over = "31 27 0:31 / /srv/log rw - overlay o rw,lowerdir=/l,upperdir={},workdir=/w"
    assert says(machine, DISK, over.format("/home/upper")) == ""
    assert "in memory" in says(machine, DISK, memory, over.format("/media/rw/upper"))
    assert "in memory" in says(machine, "1 1 0:2 / / rw - tmpfs t rw", over.format("/upper"))


@pytest.mark.parametrize(
    ("cmdline", "in_memory"),
    [
        ("console=tty1 boot=overlay root=/dev/mmcblk0p2", True),
        ("overlayroot=tmpfs:recurse=0", True),
        ("systemd.volatile=overlay", True),
        ("boot=live persistence", False),
        ("root=/dev/mmcblk0p2", False),
    ],
)
def test_an_upper_folder_that_is_out_of_sight_is_told_by_the_kernel(
    machine: Path, cmdline: str, in_memory: bool
) -> None:
    """A root overlay made before there was a root, as raspi-config makes it."""
    root = "27 1 0:26 / / rw - overlay overlay rw,lowerdir=/lower,upperdir=/upper/data,workdir=/w"
    assert ("in memory" in says(machine, root, cmdline=cmdline)) == in_memory


def test_an_overlay_that_synchronises_nothing_is_named(machine: Path) -> None:
    """Its fdatasync does nothing."""
    mount = "31 27 0:31 / /srv/log rw - overlay o rw,lowerdir=/l,upperdir=/u,workdir=/w,volatile"
    assert "synchronises nothing" in says(machine, DISK, mount)


@pytest.mark.parametrize(
    ("number", "name"), [("253:0", "zram0"), ("1:0", "ram0"), ("254:0", "dm-0, made of zram0")]
)
def test_a_disk_in_memory_is_named(machine: Path, number: str, name: str) -> None:
    """log2ram keeps /var/log in zram, with ext4 on it."""
    mount = f"31 27 {number} / /srv/log rw - ext4 /dev/x rw"
    assert says(machine, DISK, mount) == f"/srv/log is on {name}, a disk in memory"


def test_a_loop_device_is_what_its_file_is(machine: Path) -> None:
    """Here a file in memory."""
    loop = "31 27 7:3 / /srv/log rw - ext4 /dev/loop3 rw"
    shm = "30 27 0:30 / /dev/shm rw - tmpfs tmpfs rw"
    assert "of a file in memory" in says(machine, DISK, shm, loop)
    assert says(machine, DISK, loop) == ""


def test_a_machine_without_a_mount_table_gives_no_reason(tmp_path: Path) -> None:
    """Nobody is told what is not known."""
    assert volatile_storage(Path("/srv/log"), tmp_path) == ""


def test_the_service_says_it_at_the_start(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with the next step."""
    says(machine, DISK, "31 27 0:31 / /srv/log rw - tmpfs none rw")
    warn_if_volatile(Path("/srv/log/journal.jsonl"), machine)
    assert capsys.readouterr().err == (
        "stampgate-edge: /srv/log/journal.jsonl: /srv/log is memory (tmpfs): the journal is lost "
        "with the power; name a disk in [journal] file, and see 'stampgate-edge check'\n"
    )
    says(machine, DISK)
    warn_if_volatile(Path("/srv/log/journal.jsonl"), machine)
    assert capsys.readouterr().err == ""
