import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

import edge
from edge.config import DEFAULT_MODEL
from tests.paths import ROOT

PACKAGING = ROOT / "packaging"
SAMPLE = ROOT / "systemd" / "edge.toml"
PYTHONS = ("311", "313")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
MANYLINUX = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
CONTROL = ("conffiles", "control", "md5sums", "postinst", "postrm", "prerm", "triggers")
SERVICES = ("stampgate-edge.service", "stampgate-gate.service")
TEMPLATES = ("stampgate-edge@.service", "stampgate-gate@.service", "stampgate@.target")
REPORTS = tuple(f"stampgate-report{at}.{kind}" for at in ("", "@") for kind in ("service", "timer"))
DOCUMENTATION = "usr/share/doc/stampgate-edge"
NEEDED = ("python3", "systemd", "libstdc++6")
"""Debian packages that the host must have, so that a copy of it may stand for a box."""


EXTRAS = ("review", "mqtt", "modbus")
"""Extras of which the package brings all."""


def pinned(python: str) -> dict[str, str]:
    """The versions in the list of wheels for one Python, by name."""
    lines = (PACKAGING / f"cp{python}.txt").read_text().splitlines()
    return dict(line.removesuffix(" \\").split("==") for line in lines if "==" in line)


@pytest.mark.parametrize("python", PYTHONS)
def test_the_listed_wheels_are_versions_that_the_box_allows(python: str) -> None:
    """The package must not bring what pip would refuse, nor lack what an extra of its own needs."""
    versions = pinned(python)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = (project["optional-dependencies"][name] for name in EXTRAS)
    for text in chain(project["dependencies"], *extras):
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions[wanted.name.lower()]), text


def test_bookworm_keeps_the_numpy_that_its_picamera2_was_built_against() -> None:
    """Its camera stack is compiled for numpy 1, and breaks with 2."""
    assert [pinned(python)["numpy"].split(".")[0] for python in PYTHONS] == ["1", "2"]


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm", "check-environment"])
def test_the_shell_can_read_a_maintainer_script(script: str) -> None:
    """A slip of the pen would otherwise show on the box."""
    assert os.access(PACKAGING / script, os.X_OK)
    subprocess.run(["sh", "-n", PACKAGING / script], check=True)


@pytest.fixture(scope="module")
def host() -> str:
    """The architecture of this computer in Debian's words, for which the package is built here."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed: this is no Debian")
    return subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()


def build(host: str, folder: Path) -> Path:
    """Build the package into *folder* and return its path.

    Without a network it fails, and says so: a build that fails must be seen.
    """
    subprocess.run(
        [PACKAGING / "build-deb", sys.executable, folder, host],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder / f"stampgate-edge_{edge.__version__}_{host}.deb"


@pytest.fixture(scope="module")
def package(host: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for this computer's architecture."""
    return build(host, tmp_path_factory.mktemp("deb"))


def unpacked(package: Path, folder: Path) -> Path:
    """Unpack *package* into *folder*, the control files under DEBIAN; return *folder*."""
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    return folder


@pytest.mark.slow
def test_the_same_commit_gives_the_same_bytes(host: str, package: Path, tmp_path: Path) -> None:
    """Who doubts a package can build it again."""
    assert build(host, tmp_path).read_bytes() == package.read_bytes()


@pytest.mark.slow
def test_the_package_says_what_it_is_and_needs_nothing_that_is_not_in_debian(
    host: str, package: Path
) -> None:
    """The fields that dpkg and apt decide by."""
    shown = subprocess.run(
        ["dpkg-deb", "--field", package], capture_output=True, text=True, check=True
    ).stdout
    fields = dict(line.split(": ", 1) for line in shown.splitlines() if re.match(r"[A-Z]", line))
    assert (fields["Package"], fields["Version"], fields["Architecture"]) == (
        "stampgate-edge",
        edge.__version__,
        host,
    )
    needs = {need.split(" ")[0] for need in fields["Depends"].split(", ")}
    assert needs == {"python3", "systemd", "libc6", "libgcc-s1", "libstdc++6"}
    assert int(fields["Installed-Size"]) > 50_000


@pytest.mark.slow
def test_the_package_holds_the_units_the_settings_and_every_wheel_for_both_pythons(
    host: str, package: Path, tmp_path: Path
) -> None:
    """Nothing is fetched on the box, so nothing may be missing, and nothing else lies there."""
    root = unpacked(package, tmp_path / "deb")
    wheels = {path.name for path in (root / "usr/lib/stampgate/wheels").iterdir()}
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() or path.is_symlink()
    }
    assert found - {f"usr/lib/stampgate/wheels/{wheel}" for wheel in wheels} == {
        *(f"DEBIAN/{name}" for name in CONTROL),
        "usr/lib/stampgate/check-environment",
        "usr/share/stampgate/model.onnx",
        "etc/stampgate/edge.toml",
        "usr/bin/stampgate-edge",
        *(f"usr/lib/systemd/system/{unit}" for unit in (*SERVICES, "stampgate.target")),
        *(f"usr/lib/systemd/system/{unit}" for unit in (*TEMPLATES, *REPORTS)),
        "usr/lib/systemd/system/stampgate-exporter@.service",
        *(f"usr/lib/systemd/system/stampgate-review{at}.service" for at in ("", "@")),
        *(f"usr/lib/systemd/system/stampgate-fetch.{kind}" for kind in ("service", "timer")),
        "usr/lib/systemd/journald.conf.d/60-stampgate.conf",
        "usr/lib/systemd/system.conf.d/60-stampgate.conf",
        "usr/lib/sysusers.d/stampgate.conf",
        "usr/lib/tmpfiles.d/stampgate.conf",
        "usr/lib/udev/rules.d/60-stampgate.rules",
        *(f"{DOCUMENTATION}/{name}" for name in ("changelog.gz", "copyright", "systemd/README.md")),
        *(
            f"{DOCUMENTATION}/{page.relative_to(ROOT)}"
            for page in (ROOT / "docs").rglob("*")
            if page.is_file()
        ),
    }
    assert (root / "etc/stampgate/lines").is_dir()
    assert (root / "etc/stampgate/keys").is_dir()
    assert (root / "DEBIAN/conffiles").read_text() == "/etc/stampgate/edge.toml\n"
    assert (root / "etc/stampgate/edge.toml").read_text() == SAMPLE.read_text()
    assert (root / "usr/share/stampgate/model.onnx").read_bytes() == DEFAULT_MODEL.read_bytes()
    for python in PYTHONS:
        assert dict(fitting(wheels, python, MACHINES[host])) == {
            **pinned(python),
            "stampgate": edge.__version__,
        }


def fitting(wheels: Iterable[str], python: str, machine: str) -> Iterator[tuple[str, str]]:
    """Yield name and version of each wheel that pip would take, by its tags.

    *python*: e.g. ``"311"``; *machine*: as the platform tags have it, e.g. ``"x86_64"``.
    """
    number, platforms = (int(python[0]), int(python[1:])), [f"{tag}_{machine}" for tag in MANYLINUX]
    usable = {
        *cpython_tags(number, platforms=platforms),
        *compatible_tags(number, f"cp{python}", platforms),
    }
    for wheel in wheels:
        name, version, _, tags = parse_wheel_filename(wheel)
        if tags & usable:
            yield name, str(version)


ROOM = 1_500_000_000
"""Room for what two copies write at most, in bytes."""


class Copy:
    """A throw-away copy of this computer: the same files, no network, no systemd as process 1.

    Its writes stay in a folder of its own (overlayfs), in memory because the layers must not
    overlap.
    """

    def __init__(self, folder: Path, *below: Path) -> None:
        self.layer, self._folder, self._below = folder / "upper", folder, below
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Let root's shell run *script* in the copy, and return how it ended."""
        root, lower = self._folder / "root", ":".join(str(layer) for layer in (*self._below, "/"))
        layers = f"lowerdir={lower},upperdir={self.layer},workdir={self._folder}/work"
        enter = (
            f"mount -t overlay -o {layers} overlay {root}\n"
            f"mount -t proc proc {root}/proc\n"
            f"mount --bind /dev {root}/dev\n"
            f"mount -t tmpfs tmpfs {root}/run\n"
            f'exec chroot {root} sh -ec "$1"'
        )
        quiet = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        apart = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
        command = [*apart, "sh", "-ec", enter, "sh", script]
        return subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)

    def says(self, script: str) -> str:
        """Return what *script* prints; it must succeed."""
        done = self.run(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()


@pytest.fixture(scope="module")
def memory(host: str) -> Iterator[Path]:
    """A folder in memory for copies of this computer; skipped where none can stand for a box."""
    lacking = [name for name in NEEDED if not is_installed(name)]
    if lacking:
        missing = ", ".join(lacking)
        pytest.skip(f"a copy of this computer would be no box: Debian's {missing} is not installed")
    if shutil.disk_usage("/dev/shm").free < ROOM:
        pytest.skip(
            f"/dev/shm must have {ROOM / 1e9} GB free for throw-away copies of this computer"
        )
    with tempfile.TemporaryDirectory(prefix="stampgate-deb-", dir="/dev/shm") as folder:
        tried = Copy(Path(folder) / "tried").run("true")
        if tried.returncode != 0:
            why = tried.stderr.strip()
            pytest.skip(f"no copy of this computer can be made, which only root may: {why}")
        yield Path(folder)


def is_installed(name: str) -> bool:
    """Tell whether dpkg knows a package as installed here."""
    asked = subprocess.run(["dpkg-query", "--show", name], capture_output=True, check=False)
    return asked.returncode == 0


@pytest.fixture(scope="module")
def installed(memory: Path, package: Path) -> Copy:
    """A copy on which dpkg, without a network, installed the package from /stampgate.deb."""
    copy = Copy(memory / "installed")
    shutil.copy(package, copy.layer / "stampgate.deb")
    copy.says("dpkg --install /stampgate.deb")
    return copy


@pytest.fixture
def box(memory: Path, installed: Copy) -> Iterator[Copy]:
    """A copy with the package installed, for one test alone."""
    folder = memory / "box"
    yield Copy(folder, installed.layer)
    shutil.rmtree(folder)


IN_USE = "readlink /opt/stampgate/current; ls /opt/stampgate"
SAMPLES = "/opt/stampgate/current/lib/python3*/site-packages/edge/default/samples"
INSPECT = f"stampgate-edge inspect default {SAMPLES}/01-*"


@pytest.mark.slow
def test_dpkg_alone_makes_an_offline_computer_a_box(installed: Copy) -> None:
    """The demo runs, systemd takes the units, the user is there, and pip is not left behind."""
    assert installed.says("stampgate-edge config") == SAMPLE.read_text().strip()
    assert "counters: triggers 12" in installed.says("cd /tmp && stampgate-edge demo --out demo")
    assert (
        installed.says(
            "systemd-analyze verify stampgate.target stampgate-gate.service stampgate-edge.service"
        )
        == ""
    )
    of_a_line = " ".join(unit.replace("@", "@A") for unit in TEMPLATES)
    assert installed.says(f"systemd-analyze verify {of_a_line}") == ""
    assert (
        installed.says(
            "id --name --user stampgate stampgate-gate; getent group gpio video | cut -d: -f1"
        )
        == "stampgate\nstampgate-gate\ngpio\nvideo"
    )
    assert installed.says("find /opt/stampgate/current/lib -maxdepth 3 -name 'pip*'") == ""
    assert installed.says("dpkg --verify stampgate-edge; dpkg --audit") == ""


MODEL = "/usr/share/stampgate/model.onnx"
IN_ENVIRONMENT = "/opt/stampgate/current/lib/python3*/site-packages/edge/default/model.onnx"


def changed(box: Copy, name: str, changes: str, version: str = "9.9") -> str:
    """Make a package of another version in the copy, with some changes; return its path.

    *changes*: a script that is run beside the unpacked package, ``package``; the wheel is unpacked
    into ``wheel`` and packed again.
    """
    box.says(
        f"""
        mkdir /{name}; cd /{name}
        dpkg-deb --raw-extract /stampgate.deb package
        ours=$(echo package/usr/lib/stampgate/wheels/stampgate-*.whl)
        python3 -I -m zipfile -e "$ours" wheel
        rm package/DEBIAN/md5sums "$ours"
        {changes}
        sed -i 's/^Version: .*/Version: {version}/' package/DEBIAN/control
        sed -i 's/^Version: .*/Version: {version}/' wheel/stampgate-*.dist-info/METADATA
        mv wheel/stampgate-*.dist-info wheel/stampgate-{version}.dist-info
        (cd wheel && python3 -I -m zipfile -c \
            ../package/usr/lib/stampgate/wheels/stampgate-{version}-py3-none-any.whl *)
        dpkg-deb -Znone --build package /{name}.deb
        """
    )
    return f"/{name}.deb"


HOSTILE = """
mkdir /hostile; cd /hostile
for name in sitecustomize edge numpy PIL json encodings; do
    echo 'open("/hostile/ran", "a"); raise SystemExit(3)' >$name.py
done
"""


@pytest.mark.slow
def test_an_upgrade_and_the_way_back_keep_the_settings_and_leave_one_environment(box: Copy) -> None:
    """The settings stay as edited; the environment is another one, and the old one is gone.

    No variable and no folder decides what the package's scripts run.
    """
    box.says("sed -i 's/^pulse_ms = .*/pulse_ms = 70.0/' /etc/stampgate/edge.toml")
    box.says(HOSTILE)
    used = [box.says(IN_USE).split()[0]]
    for package in (changed(box, "newer", ""), "/stampgate.deb"):
        box.says(
            "cd /hostile && PYTHONPATH=/hostile PYTHONSTARTUP=/hostile/edge.py"
            f" PYTHONUSERBASE=/hostile dpkg --install {package} </dev/null"
        )
        current, *others = box.says(IN_USE).split()
        assert (current not in used, sorted(others)) == (True, ["current", current])
        assert box.says(f"readlink {IN_ENVIRONMENT}") == MODEL
        assert box.says(INSPECT).startswith("pass ")
        used.append(current)
    assert box.says("grep ^pulse_ms /etc/stampgate/edge.toml") == "pulse_ms = 70.0"
    assert box.run("ls /hostile/ran").returncode != 0
    assert box.says("dpkg --verify stampgate-edge | grep -v ' c ' || dpkg --audit") == ""


@pytest.mark.slow
def test_a_failed_upgrade_leaves_the_old_environment_at_work(box: Copy) -> None:
    """A wheel that is missing stands for whatever goes wrong, such as a full disk."""
    before = box.says(IN_USE)
    box.says("dpkg-deb --raw-extract stampgate.deb broken")
    box.says("rm broken/usr/lib/stampgate/wheels/onnxruntime-*")
    box.says("dpkg-deb -Znone --build broken broken.deb")
    done = box.run("dpkg --install /broken.deb")
    assert done.returncode != 0
    assert "stampgate-edge: the packages cannot be installed" in done.stderr
    assert box.says(IN_USE) == before
    assert box.says(INSPECT).startswith("pass ")


@pytest.mark.slow
def test_an_upgrade_that_would_not_take_the_settings_is_refused_until_they_are_corrected(
    box: Copy,
) -> None:
    """Otherwise the new program would end with status 78 where the old one ran."""
    before = box.says(IN_USE)
    box.says("echo '[nonsense]' >>/etc/stampgate/edge.toml")
    done = box.run("dpkg --install /stampgate.deb </dev/null")
    assert done.returncode != 0
    assert "/etc/stampgate/edge.toml: has no section [nonsense]" in done.stderr
    assert box.says(IN_USE) == before
    box.says("sed -i '$d' /etc/stampgate/edge.toml && dpkg --configure stampgate-edge")
    assert box.says(IN_USE) != before


@pytest.mark.slow
def test_an_upgrade_from_the_package_with_one_user_takes_nothing_from_the_eye(box: Copy) -> None:
    """Journal and pictures stay the eye's; the folder of the socket becomes the gate's.

    So does nothing that links in it point at, and what lay in it is still whose it was.
    """
    kept = "/run/stampgate/status.json /var/log/stampgate/journal.jsonl /var/lib/stampgate"
    said = box.says(  # at once: /run is another one each time
        "mkdir -p /var/log/stampgate /var/lib/stampgate /run/stampgate /srv/elsewhere; "
        "touch /var/log/stampgate/journal.jsonl /run/stampgate/status.json; "
        "ln -s /srv/elsewhere /run/stampgate/link; "
        "chown -R stampgate:stampgate /var/log/stampgate /var/lib/stampgate /run/stampgate; "
        "dpkg --install /stampgate.deb </dev/null >/dev/null; "
        f"stat --format '%U:%G %a' /run/stampgate; stat --format %U {kept} /srv/elsewhere"
    )
    assert said.splitlines() == [
        "stampgate-gate:stampgate-gate 1775",
        *["stampgate"] * 3,
        "root",
    ]


TWO_USERS = f"""
systemd-tmpfiles --create stampgate.conf
mkdir -p /var/log/stampgate /frames
cp {SAMPLES}/01-* {SAMPLES}/02-* /frames
chown stampgate:stampgate /var/log/stampgate
cat >/etc/stampgate/edge.toml <<END
[camera]
folder = "/frames"
[trigger]
kind = "every-frame"
[gate]
driver = "process"
END
{{ cat /etc/stampgate/edge.toml; echo '[journal]
file = "/tmp/journal.jsonl"
status = ""
[evidence]
folder = ""'; }} >other.toml
chmod a+r other.toml
as() {{ setpriv --reuid "$1" --regid "$2" --groups "$3" "${{@:4}}"; }}
umask 27
setpriv --reuid stampgate-gate --regid stampgate-gate --groups gpio \
    stampgate-edge gate --config /etc/stampgate/edge.toml 2>log &
until [ -S /run/stampgate/gate.sock ]; do sleep 0.1; done
run="stampgate-edge run --config /etc/stampgate/edge.toml"
as stampgate stampgate stampgate-gate $run && echo "the eye: $?"
as stampgate stampgate video $run 2>&1 || echo "not in the gate's group: $?"
other="stampgate-edge run --config /other.toml"
as daemon stampgate-gate stampgate $other 2>&1 || echo "another user: $?"
as stampgate stampgate stampgate-gate rm -f /run/stampgate/gate.sock || echo "not the eye's"
as stampgate-gate stampgate-gate gpio cat /var/log/stampgate/journal.jsonl || echo "not the gate's"
stat --format '%n %U:%G %a' /run/stampgate/*
kill $!
wait $!
grep -c 'an eye is connected' log
"""


@pytest.mark.slow
def test_eye_and_gate_work_together_as_two_users_and_nobody_else_does(box: Copy) -> None:
    """With the users, groups, folders and modes of the package, on real sockets."""
    said = box.says(f"bash -ec {shlex.quote(TWO_USERS)}")
    assert "the eye: 0" in said
    assert re.search(
        r"no gate listens there \(Permission denied\).*\nnot in the .* group: 75", said
    )
    assert re.search(r"user 1 may not be the eye.*\nanother user: 75", said)
    assert "not the eye's" in said
    assert "not the gate's" in said
    assert "/run/stampgate/gate.sock stampgate-gate:stampgate-gate 660" in said
    assert "/run/stampgate/status.json stampgate:stampgate 644" in said
    assert said.splitlines()[-1] == "1"


@pytest.mark.slow
def test_settings_that_the_gates_user_cannot_read_are_said_before_the_switch(box: Copy) -> None:
    """A file that was made for the one user of before."""
    before = box.says(IN_USE)
    box.says("chown root:stampgate /etc/stampgate/edge.toml; chmod 640 /etc/stampgate/edge.toml")
    done = box.run("dpkg --install /stampgate.deb </dev/null")
    assert done.returncode != 0
    assert "edge.toml must be readable by the user stampgate-gate; then: chmod a+r" in done.stderr
    assert box.says(IN_USE) == before
    box.says("chmod a+r /etc/stampgate/edge.toml && dpkg --configure stampgate-edge")
    assert box.says(IN_USE) != before


@pytest.mark.slow
def test_dpkg_finds_a_changed_model_and_the_program_refuses_it(box: Copy) -> None:
    """It is the package's own file by whichever name it is changed, and no settings file."""
    assert box.says("dpkg --verify stampgate-edge") == ""
    box.says(
        f"printf X | dd of=$(echo {IN_ENVIRONMENT}) bs=1 seek=2000000 conv=notrunc status=none"
    )
    found = box.run("dpkg --verify stampgate-edge").stdout.split()
    assert found == ["??5??????", MODEL]
    done = box.run(INSPECT)
    assert done.returncode == 78
    assert "damaged, or changed after it was sealed" in done.stderr


LETS_ALL_PASS = """
sed -i 's/    if missing:/    if False:/' wheel/edge/decision.py
sed -i 's/        for picture in self.golden.pictures:/        for picture in ():/' \\
    wheel/edge/vision/localizer.py
"""


@pytest.mark.slow
def test_a_version_that_does_not_judge_as_it_must_is_not_switched_to(box: Copy) -> None:
    """The one before stays in service, with a copy of its model.

    Golden pictures would tell at every start; here they are left out.
    """
    before = box.says(IN_USE)
    done = box.run(f"dpkg --install {changed(box, 'other', LETS_ALL_PASS)}")
    assert done.returncode != 0
    assert "02-milk-unstamped.jpg must be reject, not pass" in done.stderr
    assert "what was installed before is still in use" in done.stderr
    assert box.says(IN_USE) == before
    assert box.run(f"readlink {IN_ENVIRONMENT}").returncode == 1
    assert box.says(INSPECT).startswith("pass ")


OTHER_PYTHON = """
# Another Python, as after an upgrade of Debian: what python3 is now does not look into the folder
# lib/python3.11 of the environment. The old one is gone.
version=$(python3 -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')
find /opt/stampgate -depth -name "python$version" -path '*/lib/*' \
    -execdir mv {} python3.9 ';'
"""
TRIGGER = "dpkg-trigger --by-package=python3 /usr/bin/python3; dpkg --triggers-only --pending"
CHECK = "/usr/lib/stampgate/check-environment"


@pytest.mark.slow
def test_a_python_that_changes_under_the_program_is_healed_by_a_trigger(box: Copy) -> None:
    """And before that it is said in one line, not in a traceback."""
    assert box.says(CHECK) == ""
    before = box.says(IN_USE)
    box.says(OTHER_PYTHON)
    done = box.run(CHECK)
    assert (done.returncode, done.stdout) == (78, "")
    (line,) = done.stderr.splitlines()
    assert "the system's Python was changed" in line
    assert "dpkg-reconfigure stampgate-edge" in line
    healed = box.run(TRIGGER)
    assert healed.returncode == 0, healed.stderr
    assert "making the environment anew" in healed.stderr
    assert box.says(IN_USE) != before
    assert box.says(CHECK) == ""
    assert box.says(INSPECT).startswith("pass ")
    assert box.says("dpkg --audit") == ""


@pytest.mark.slow
def test_a_change_of_python_that_does_no_harm_changes_nothing(box: Copy) -> None:
    """A security update of the same version comes every month."""
    before = box.says(IN_USE)
    box.says(TRIGGER)
    assert box.says(IN_USE) == before


LEAVE_TRACES = """
systemctl enable --quiet stampgate.target stampgate@A.target
mkdir -p /var/lib/stampgate/frames /var/log/stampgate/evidence /var/lib/stampgate-gate
mkdir -p /var/lib/stampgate-releases/store
touch /var/log/stampgate/journal.jsonl /etc/stampgate/keys/desk.pem
"""
STATES = ("/var/lib/stampgate", "/var/lib/stampgate-gate", "/var/lib/stampgate-releases")
TRACES = "find /etc /opt /usr /var -name '*stampgate*' -not -path '/var/lib/dpkg/info/*' | sort"


@pytest.mark.slow
def test_removing_keeps_settings_and_logs_and_purging_keeps_the_logs(box: Copy) -> None:
    """The journal says what was let pass: it goes only when somebody asks for that."""
    box.says(LEAVE_TRACES)
    box.says("dpkg --remove stampgate-edge")
    kept = box.says(TRACES).split()
    folders = {"/etc/stampgate", "/var/log/stampgate", *STATES}
    assert folders <= set(kept)
    assert not [path for path in kept if path.startswith(("/opt", "/usr"))]
    assert "/var/log/stampgate is kept" in box.says("dpkg --purge stampgate-edge")
    assert box.says(TRACES) == "/var/log/stampgate"
    assert box.says("ls /var/log/stampgate") == "evidence\njournal.jsonl"


@pytest.mark.slow
def test_purging_takes_the_logs_too_when_asked(box: Copy) -> None:
    """The word is a variable of the environment, which apt and dpkg hand on."""
    box.says(LEAVE_TRACES)
    box.says("STAMPGATE_PURGE_LOGS=1 dpkg --purge stampgate-edge")
    assert box.says(TRACES) == ""
