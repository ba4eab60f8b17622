"""Several production lines on one box: each its own settings, folders and wires, none shared."""

import contextlib
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.config import sample
from edge.errors import ConfigError, UsageError
from edge.production_lines import names
from edge.production_lines.names import sample_of_line, settings_of_line
from edge.record.verify import read_records, verify
from edge.wiring import check_for_eye, check_for_gate, load_checked
from tests.gate_rig import edge_process
from tests.tiny_model import paint, save, write_tiny_model

DOT, NOTHING = paint({"dot": [(16, 24)]}), paint({})
Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the lines' settings on this box, empty."""
    found = tmp_path / "lines"
    found.mkdir()
    monkeypatch.setattr(names, "LINES_FOLDER", found)
    monkeypatch.setattr(settings_of_line, "__defaults__", (found,))
    monkeypatch.setattr(names.lines_of_box, "__defaults__", (found,))
    return found


@pytest.fixture
def write(folder: Path) -> Write:
    """Writes the settings of a line: all files its own, with a text in place of another."""

    def make(name: str, *changes: tuple[str, str]) -> Path:
        root = folder.parent / name
        (root / "lib/stampgate" / name / "frames").mkdir(parents=True, exist_ok=True)
        text = sample_of_line(name).replace("/var", str(root)).replace("/run", str(root / "run"))
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = folder / f"{name}.toml"
        path.write_text(text)
        return path

    return make


def test_the_sample_of_a_line_has_every_path_and_its_name_of_its_own() -> None:
    """Nothing else differs from the sample of a box with one line."""
    one, other = tomllib.loads(sample()), tomllib.loads(sample_of_line("A"))
    changed = {
        f"[{section}] {key}": value
        for section, keys in other.items()
        for key, value in keys.items()
        if value != one[section][key]
    }
    assert changed == {
        "[camera] folder": "/var/lib/stampgate/A/frames",
        "[gate] socket": "/run/stampgate/A/gate.sock",
        "[gate] debts": "/var/lib/stampgate-gate/A/gate.debts",
        "[model] releases": "/var/lib/stampgate-releases/A/store",
        "[model] state": "/var/lib/stampgate/A/release.json",
        "[imaging] reference": "/var/lib/stampgate/A/reference.json",
        "[journal] file": "/var/log/stampgate/A/journal.jsonl",
        "[journal] mark": "/var/lib/stampgate/A/journal.mark",
        "[journal] status": "/run/stampgate/A/status.json",
        "[evidence] folder": "/var/log/stampgate/A/evidence",
        "[review] folder": "/var/lib/stampgate-review/A",
        "[challenge] socket": "/run/stampgate/A/challenge.sock",
        "[shadow] log": "/var/log/stampgate/A/shadow.jsonl",
        "[reports] folder": "/var/lib/stampgate/A/reports",
        "[service] name": "A",
    }


def test_two_lines_of_their_own_are_taken(write: Write) -> None:
    """By the eye and by the gate of each."""
    for path in (write("A"), write("B")):
        check_for_eye(load_checked(path))
        check_for_gate(load_checked(path))


RUNNING = (
    ('driver = "simulated"', 'driver = "process"'),
    ("reject_delay_ms = 500.0", "reject_delay_ms = 30000.0"),
    ('file = "default"', 'file = "m.onnx"'),
    ("pictures_per_second = 2.0", "pictures_per_second = 0.0"),
    ("covered_below = 8.0", "covered_below = 0.0"),
    ("allow_repeats = false", "allow_repeats = true"),
)
WIRES = (
    ('kind = "every-frame"', 'kind = "photo-eye"'),
    ('driver = "simulated"', 'driver = "process"'),
    ('driver = "simulated"', 'driver = "gpiod"'),
    ('trigger = ""', 'trigger = "GPIO17"'),
    ('reject = ""', 'reject = "GPIO27"'),
)
OTHER_WIRES = tuple((a, b.replace("17", "18").replace("27", "28")) for a, b in WIRES)
USB = ('driver = "replay"', 'driver = "v4l2"')


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (WIRES, WIRES, "[lines] trigger GPIO17 is claimed by another line"),
        (
            WIRES,
            (*OTHER_WIRES[:-1], ('reject = ""', 'reject = "GPIO17"')),
            "[lines] trigger GPIO17 is claimed by another line too, as [lines] reject in",
        ),
        ((USB,), (USB,), "[camera] device any is claimed by another line"),
        (
            (USB, ('device = ""', 'device = "/dev/v4l/by-id/one"')),
            (USB, ('device = ""', 'device = "/dev/v4l/by-id/one"')),
            "[camera] device /dev/v4l/by-id/one is claimed by another line",
        ),
        (
            (USB, ('device = ""', 'device = "/dev/v4l/by-id/one"')),
            (USB,),
            "[camera] device /dev/v4l/by-id/one is claimed by another line",
        ),
        (
            (("/A/log/stampgate/A/journal.jsonl", "/shared/journal.jsonl"),),
            (("/B/log/stampgate/B/journal.jsonl", "/shared/journal.jsonl"),),
            "[journal] file",
        ),
        (
            (("/A/log/stampgate/A/evidence", "/shared/evidence"),),
            (("/B/log/stampgate/B/evidence", "/shared/evidence"),),
            "[evidence] folder",
        ),
        (
            (("/A/run/stampgate/A/gate.sock", "/shared/gate.sock"),),
            (("/B/run/stampgate/B/gate.sock", "/shared/gate.sock"),),
            "[gate] socket",
        ),
    ],
)
def test_two_lines_that_claim_one_thing_are_refused_in_one_line(
    write: Write,
    one: tuple[tuple[str, str], ...],
    other: tuple[tuple[str, str], ...],
    says: str,
) -> None:
    """Both, by the eye and the gate, with both files named; exit status 78."""
    path, its = write("A", *one), write("B", *other)
    config = load_checked(path)
    for check in (check_for_eye, check_for_gate):
        with pytest.raises(ConfigError) as caught:
            check(config)
        said = str(caught.value)
        assert f"{path}: {says}" in said
        assert said.endswith(f" in {its}; give each line its own")
        assert "\n" not in said
        assert caught.value.exit_code == 78
    with pytest.raises(ConfigError, match="is claimed by another line too"):
        check_for_eye(load_checked(its))


def test_wires_cameras_and_chips_of_their_own_are_no_conflict(write: Write) -> None:
    """Nor the same names on two chips, nor a line whose settings cannot be taken."""
    path = write("A", *WIRES, ('chip = ""', 'chip = "one"'))
    write("B", *WIRES, ('chip = ""', 'chip = "two"'))
    write("C", *OTHER_WIRES).write_text("[camera\n")
    check_for_gate(load_checked(path))


def test_one_file_of_settings_outside_that_folder_claims_nothing(
    write: Write, tmp_path: Path
) -> None:
    """A copy beside edge.toml, kept by somebody, stops no box."""
    text = write("A", *WIRES).read_text()
    for name in ("edge.toml", "edge-before.toml"):
        (tmp_path / name).write_text(text)
    check_for_gate(load_checked(tmp_path / "edge.toml"))


@pytest.mark.parametrize("before", [True, False])
def test_a_command_finds_the_line_that_is_named(
    write: Write, capsys: pytest.CaptureFixture[str], before: bool
) -> None:
    """Before the command or behind it."""
    write("A")
    named = ["--line", "A", "status"] if before else ["status", "--line", "A"]
    assert main(named) == 1
    assert "not running, and no journal yet" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["run", "gate"])
def test_a_service_is_started_by_its_line(
    write: Write, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """The settings that it reads are the line's; a line that is missing is one message."""
    write("A").write_text("[camera]\nwidth = 1\n")
    assert main(["--line", "A", command]) == 78
    assert "A.toml: [camera] width must be" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([command, "--line", "B"])
    assert ended.value.code == 2
    assert "there is no line B here" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("name", ["../edge", "A/B", "", "-A", "a b", "A.toml", "x" * 41, "A\n"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    """It is that of units and folders, too."""
    with pytest.raises(UsageError, match="--line must be letters, figures and _"):
        sample_of_line(name)
    with pytest.raises(UsageError, match="--line must be letters, figures and _"):
        settings_of_line(name)


def test_a_line_that_is_missing_is_said_with_those_that_are_there(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """So is a box that has lines and no edge.toml."""
    write("A")
    write("B")
    assert main(["status", "--line", "C"]) == 2
    assert "there is no line C here" in (said := capsys.readouterr().err)
    assert said.rstrip().endswith("the lines are: A, B")
    assert main(["--line", "A", "status", "--config", "x.toml"]) == 2
    assert "leave one out" in capsys.readouterr().err


def test_a_settings_file_of_a_line_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """As the page says: `stampgate-edge config --line A`."""
    assert main(["config", "--line", "A"]) == 0
    assert capsys.readouterr().out.strip() == sample_of_line("A").strip()


def test_two_lines_run_side_by_side_each_with_its_own_journal(write: Write) -> None:
    """Two gates and two eyes at once, as processes: neither line has an item of the other."""
    with contextlib.ExitStack() as started:
        eyes, configs = [], {}
        for name, picture in (("A", DOT), ("B", NOTHING)):
            path = write(name, *RUNNING)
            write_tiny_model(path.parent / "m.onnx")
            configs[name] = config = load_checked(path)
            save(config.path(config.camera.folder) / "1.png", picture)
            for file in (config.journal.file, config.journal.status, config.gate.socket):
                Path(file).parent.mkdir(parents=True, exist_ok=True)
            gate = started.enter_context(edge_process("gate", path))
            gate.until(Path(config.gate.socket).exists)
            eyes.append(started.enter_context(edge_process("run", path)))
        assert [eye.ended().returncode for eye in eyes] == [0, 0]
    for name, verdict in (("A", "pass"), ("B", "reject")):
        journal = Path(configs[name].journal.file)
        records = read_records(journal)
        assert {record["service"] for record in records} == {name}
        assert [r["verdict"] for r in records if r["kind"] == "item"] == [verdict]
        assert verify(journal).items == 1
