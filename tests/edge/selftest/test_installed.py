"""What a fresh environment must do before it is switched to."""

import dataclasses
from pathlib import Path

import pytest

from edge.selftest import installed
from edge.selftest.installed import main
from edge.vision.model_file import examine
from export.sealing import seal_texts
from tests.tiny_model import CONTRACT, build, paint, save, sealed, write_tiny_model

LOWER = b'"threshold": 0.5', b'"threshold": 0.4'


@pytest.fixture(autouse=True)
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model stands for the packaged one, with two samples; returns the settings' path."""
    monkeypatch.setattr(installed, "DEFAULT_MODEL", write_tiny_model(tmp_path / "default.onnx"))
    monkeypatch.setattr(installed, "SAMPLES", {"marked.png": "pass", "plain.png": "reject"})
    (tmp_path / "samples").mkdir()
    save(tmp_path / "samples" / "marked.png", paint({"dot": [(16, 24)]}))
    save(tmp_path / "samples" / "plain.png", paint({}))
    (tmp_path / "edge.toml").write_text('[model]\nfile = "own.onnx"\n')
    return tmp_path / "edge.toml"


def test_an_environment_that_judges_right_is_taken(box: Path) -> None:
    """With settings, without, and with a model that was not copied yet."""
    assert main([]) == 0
    assert main([str(box)]) == 0
    write_tiny_model(box.parent / "own.onnx")
    assert main([str(box)]) == 0
    assert main([str(box.parent / "none.toml")]) == 0


def test_a_box_whose_model_may_not_drive_its_wires_keeps_the_version_before(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An upgrade that would stop the line is refused, and says what to set; so it is taken."""
    wires = '[gate]\ndriver = "process"\n[lines]\ndriver = "gpiod"\nreject = "GPIO1"\n'
    own = '[model]\nfile = "own.onnx"\n'
    write_tiny_model(box.parent / "own.onnx")
    box.write_text(wires + own)
    assert main([str(box)]) == 1
    assert "set allow_unsigned = true" in capsys.readouterr().err
    box.write_text(wires + own + "allow_unsigned = true\n")
    assert main([str(box)]) == 0
    box.write_text(wires + '[model]\nbundle = "current"\nreleases = "releases"\n')
    assert main([str(box)]) == 0


@pytest.mark.parametrize(
    ("name", "marks", "why"),
    [
        ("marked.png", {}, "marked.png must be pass, not reject (no dot found)"),
        ("plain.png", {"dot": [(16, 24)]}, "plain.png must be reject, not pass (dot found)"),
    ],
)
def test_a_known_picture_that_is_judged_otherwise_refuses_the_environment(
    box: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    marks: dict[str, list[tuple[int, int]]],
    why: str,
) -> None:
    """The stamped one as well as the unstamped one, in one line."""
    save(box.parent / "samples" / name, paint(marks))
    assert main([str(box)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"stampgate-edge: {why}")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("default", "default.onnx: damaged, or changed after it was sealed"),
        ("own", "own.onnx: damaged, or changed after it was sealed"),
        ("settings", "edge.toml: has no section [nonsense]"),
        ("pin", "own.onnx: its SHA-256 must be"),
        ("sample", "marked.png: no such file"),
        ("unsealed", "own.onnx: carries no stampgate.contract"),
        ("other", "own.onnx: golden picture 'no mark' is not judged as it must be"),
    ],
)
def test_whatever_the_line_would_end_of_refuses_the_environment(
    box: Path, capsys: pytest.CaptureFixture[str], damage: str, why: str
) -> None:
    """The packaged model, the settings, and the model that they name."""
    own, default = write_tiny_model(box.parent / "own.onnx"), box.parent / "default.onnx"
    match damage:
        case "default":
            default.write_bytes(default.read_bytes().replace(*LOWER))
        case "own":
            own.write_bytes(own.read_bytes().replace(*LOWER))
        case "settings":
            box.write_text("[nonsense]\n")
        case "pin":
            box.write_text(f'[model]\nfile = "own.onnx"\nsha256 = "{"0" * 64}"\n')
        case "sample":
            (box.parent / "samples" / "marked.png").unlink()
        case "unsealed":
            own.write_bytes(build(CONTRACT).SerializeToString())
        case "other":
            own.write_bytes(exchanged())
    assert main([str(box)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert why in line


def exchanged() -> bytes:
    """A whole model whose golden pictures want another answer."""
    golden = examine(Path("m"), sealed(CONTRACT)).golden
    first, second, third = golden.pictures
    other = dataclasses.replace(second, decision="pass")
    wrong = dataclasses.replace(golden, pictures=(first, other, third))
    return seal_texts(build(CONTRACT), CONTRACT.to_json(), wrong.to_json())
