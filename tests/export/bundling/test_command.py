"""``stampgate bundle`` makes a bundle that the box reads, or nothing and one line."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("cryptography", reason="bundles are signed by the library cryptography")

from edge.bundles.reading import Bundle, read_bundle
from edge.bundles.trust import load_trusted_keys
from edge.vision.model_file import read_model
from edge.vision.preprocess import Frame
from edge.vision.proof_summary import ProofSummary
from export.__main__ import main
from tests.tiny_bundle import png, scenes
from tests.tiny_model import paint, write_tiny_model


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk, which nobody writes to: model, key, trusted keys, frames in sub-folders."""
    folder = tmp_path_factory.mktemp("desk")
    write_tiny_model(folder / "tiny.onnx")
    assert main(["keygen", str(folder / "desk"), "--no-passphrase"]) == 0
    (folder / "keys").mkdir()
    shutil.copy(folder / "desk.pem", folder / "keys")
    names = {"stamped": "stamped", "border": "stamped", "unstamped": "unstamped"}
    for number, (shows, frame) in enumerate(scenes()):
        below = folder / "frames" / names.get(shows, "look-alikes")
        below.mkdir(parents=True, exist_ok=True)
        (below / f"{number:02}.png").write_bytes(png(frame))
    return folder


def call(desk: Path, out: Path, *words: object, model: str = "tiny.onnx") -> int:
    """Make a bundle with the desk's key, kept beside *out*; return the status."""
    key = out.parent / "desk.key"
    if not key.exists():
        shutil.copy(desk / "desk.key", key)
    options = ["bundle", desk / model, "--out", out, "--key", key, *words]
    return main(list(map(str, options)))


def made(desk: Path, path: Path) -> Bundle:
    """Read a bundle as the box does."""
    return read_bundle(path, load_trusted_keys(desk / "keys"))


FRAMES = "--frames"


def test_a_bundle_is_made_shown_verified_and_unpacked(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way at the desk; every line fits a terminal of 80 columns."""
    out = tmp_path / "tiny-7.bundle"
    assert call(desk, out, FRAMES, desk / "frames", "--unproven", "--intended", "dots") == 0
    bundle = made(desk, out)
    assert (bundle.name, bundle.version, bundle.proof) == ("tiny", 7, None)
    assert len(bundle.golden.frames) == 16
    assert {frame.verdict for frame in bundle.golden.frames} == {"pass", "reject"}
    capsys.readouterr()
    assert main(["bundle", "show", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "NOT VERIFIED" in shown
    assert "Nobody has proven this model" in shown
    assert "Intended use  dots" in shown
    keys = ["--keys", str(desk / "keys")]
    assert main(["bundle", "show", str(out), *keys]) == 0
    shown = capsys.readouterr().out
    assert "NOT VERIFIED" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert main(["bundle", "verify", str(out), *keys]) == 0
    assert "all 16 golden frames are judged as they must be" in capsys.readouterr().out
    assert main(["bundle", "unpack", str(out), str(tmp_path / "files")]) == 0
    assert (tmp_path / "files" / "model.onnx").read_bytes() == (desk / "tiny.onnx").read_bytes()
    assert "model_signing verify key" in capsys.readouterr().out


def write_proof(folder: Path, digest: str) -> Path:
    """Write what ``stampgate prove`` leaves of a proof, as far as a bundle reads it."""
    summary = ProofSummary(
        version=1,
        decision_digest=digest,
        model_sha256="e" * 64,
        stage="desk",
        study=1,
        date="2026-11-01T08:00:00+00:00",
        plan="fa<15% @95%",
        result="shown",
        words="desk: false accepts below 15 % shown",
        proof_sha256="",
    )
    folder.mkdir(exist_ok=True)
    raw = {"summary": dataclasses.asdict(summary), "intended_use": "finds dots"}
    (folder / "proof.json").write_text(json.dumps(raw))
    return folder


def test_a_proof_goes_in_and_no_other(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That of this very model; with it nothing is unproven; without any it is refused."""
    digest = read_model(desk / "tiny.onnx").decision_digest
    proof = write_proof(tmp_path / "proof", digest)
    out, frames = tmp_path / "a.bundle", [FRAMES, desk / "frames"]
    assert call(desk, out, *frames, "--proof", proof) == 0
    bundle = made(desk, out)
    assert bundle.proof is not None
    assert bundle.proof.decision_digest == bundle.model_id
    assert "Intended use  finds dots" in bundle.intended_use
    words = " ".join(bundle.intended_use.split())
    assert "false accepts below 15 % shown (study 1, 2026-11-01)" in words
    assert call(desk, tmp_path / "b.bundle", *frames, "--proof", proof, "--unproven") == 2
    write_proof(proof, "f" * 64)
    assert call(desk, tmp_path / "b.bundle", *frames, "--proof", proof) == 1
    assert call(desk, tmp_path / "b.bundle", *frames) == 1
    told = capsys.readouterr().err.splitlines()
    wanted = ("there is a proof", "proves another model", "there is no proof of it")
    assert [want in line for want, line in zip(wanted, told, strict=True)] == [True] * 3
    assert not (tmp_path / "b.bundle").exists()


def test_versions_rise(desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One above the last of that name by that key, or what is asked for above it."""
    words = [FRAMES, desk / "frames", "--unproven"]
    asked: list[tuple[str, list[str], int]] = [
        ("a.bundle", [], 1),
        ("a-5.bundle", [], 5),
        ("a.bundle", [], 6),
        ("x.bundle", ["--name", "a", "--version", "9"], 9),
        ("b.bundle", [], 1),
    ]
    for out, more, version in asked:
        assert call(desk, tmp_path / out, *words, *more) == 0
        assert made(desk, tmp_path / out).version == version
    before = (tmp_path / "a-5.bundle").read_bytes()
    refused: list[tuple[str, list[str], str]] = [
        ("a-5.bundle", [], "has signed version 9"),
        ("a-10.bundle", ["--version", "11"], "says version 10"),
        ("A b.bundle", [], "must be of small letters"),
    ]
    for out, more, told in refused:
        assert call(desk, tmp_path / out, *words, *more) == 2
        assert told in capsys.readouterr().err
    assert (tmp_path / "a-5.bundle").read_bytes() == before
    (tmp_path / "desk.key.versions").write_text('{"a": "9"}')
    assert call(desk, tmp_path / "a.bundle", *words) == 1
    assert "restore it from a copy" in capsys.readouterr().err


def test_rules_and_region_are_those_of_the_settings(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Golden frames are judged by them; a region that holds no mark leaves nothing to pass."""
    settings = tmp_path / "edge.toml"
    settings.write_text("[decision]\nregion = [[0, 0], [64, 0], [64, 64], [0, 64]]\n")
    words = [FRAMES, desk / "frames", "--unproven", "--settings", settings]
    assert call(desk, tmp_path / "a.bundle", *words) == 0
    bundle = made(desk, tmp_path / "a.bundle")
    assert list(bundle.decision.region) == [(0, 0), (64, 0), (64, 64), (0, 64)]
    assert "region = [[0" in bundle.intended_use
    settings.write_text("[decision]\nregion = [[0, 0], [16, 0], [16, 16], [0, 16]]\n")
    assert call(desk, tmp_path / "b.bundle", *words) == 1
    assert "must be 16 golden frames" in capsys.readouterr().err
    settings.write_text("[decision]\nrequired = ['square']\n")
    assert call(desk, tmp_path / "b.bundle", *words) == 78
    assert not (tmp_path / "b.bundle").exists()


@dataclasses.dataclass
class Painted:
    """Stands in for the frames of a run."""

    asked: dict[str, object] = dataclasses.field(default_factory=dict)

    def of_run(
        self, _model: object, run: Path, size: object, view: object, **more: bool
    ) -> "Painted":
        """Note what is asked for."""
        self.asked = {"run": run, "size": size, "view": view, **more}
        return self

    def shows(self, number: int) -> str:
        """What frame *number* shows."""
        return {"border": "stamped"}.get(shown := scenes()[number % 16][0], shown)

    def frame(self, number: int) -> Frame:
        """Frame *number*."""
        return scenes()[number % 16][1]


def test_frames_are_painted_from_the_run(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the camera's size as it is turned, into the region; on photographs when asked for."""
    painted = Painted()
    # torch takes seconds to load, and nothing of it is needed here
    stand_in = SimpleNamespace(frames_of_run=painted.of_run)
    monkeypatch.setitem(sys.modules, "train.proof.camera_frames", stand_in)
    words = ["--run", tmp_path / "run", "--unproven"]
    assert call(desk, tmp_path / "a.bundle", *words) == 0
    assert painted.asked == {
        "run": tmp_path / "run",
        "size": (1280, 960),
        "view": (0, 0, 1280, 960),
        "photographs": False,
    }
    settings = tmp_path / "edge.toml"
    settings.write_text(
        "[camera]\nwidth = 640\nheight = 480\nrotate = 90\n"
        "[decision]\nregion = [[0, 0], [64, 0], [64, 64], [0, 64]]\n"
    )
    more = ["--settings", settings, "--photographs"]
    assert call(desk, tmp_path / "b.bundle", *words, *more) == 0
    assert painted.asked["size"] == (480, 640)
    assert painted.asked["view"] == (0, 0, 64, 64)
    assert painted.asked["photographs"] is True
    assert len(made(desk, tmp_path / "b.bundle").golden.frames) == 16


def test_an_unstamped_picture_that_passes_stops_it(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is the one error that must not be."""
    frames = tmp_path / "frames"
    shutil.copytree(desk / "frames", frames)
    (frames / "unstamped" / "99.png").write_bytes(png(paint({"dot": [(24, 24)]})))
    assert call(desk, tmp_path / "a.bundle", FRAMES, frames, "--unproven") == 1
    assert "99.png: it passes, and is said to be unstamped" in capsys.readouterr().err
    assert list(tmp_path.glob("*.bundle")) == []


def test_pictures_of_two_sizes_are_refused(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A camera has one."""
    frames = tmp_path / "frames"
    shutil.copytree(desk / "frames", frames)
    for name in ("01.png", "05.png"):
        (frames / "unstamped" / name).write_bytes(png(paint({}, 128, 64)))
    assert call(desk, tmp_path / "a.bundle", FRAMES, frames, "--unproven") == 1
    assert "2 of 128 x 64" in capsys.readouterr().err
    assert list(tmp_path.glob("*.bundle")) == []


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--unproven"], 2, "name --run RUN"),
        (["--unproven", "--photographs", FRAMES, "frames"], 2, "name --run RUN"),
        (["--unproven", FRAMES, "none"], 1, "must have pictures in sub-folders"),
        (["--unproven", FRAMES, "frames", "--keys", "keys"], 2, "a new bundle takes --key"),
        (["--unproven", FRAMES, "frames", "--expires", "0"], 2, "must be days"),
        (["--unproven", FRAMES, "frames", "--not-before", "soon"], 2, "must be a time such as"),
        (
            ["--unproven", FRAMES, "frames", "--not-before", "2999-01-01T00:00:00Z"],
            2,
            "must be before the bundle expires",
        ),
    ],
)
def test_a_call_that_makes_no_sense_is_one_line(
    words: list[str],
    status: int,
    told: str,
    desk: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And leaves neither a bundle nor a version behind."""
    monkeypatch.chdir(desk)
    try:
        found = call(desk, tmp_path / "a.bundle", *words)
    except SystemExit as end:  # argparse
        found = int(str(end.code))
    assert found == status
    assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["desk.key"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show"], "name one bundle"),
        (["unpack", "f"], "name a bundle and a new folder"),
        (["verify", "f"], "name --keys DIR"),
        (["show", "f", "--out", "g"], "takes no --out"),
        (["show", "f", "--unproven"], "takes no --unproven"),
        (["m.onnx"], "--out F and --key KEY"),
    ],
)
def test_what_an_action_needs_is_said(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line."""
    assert main(["bundle", *words]) == 2
    assert told in capsys.readouterr().err


def public_tool() -> str:
    """The public tool's program; empty where it is not installed, or does not start."""
    program = shutil.which("model_signing") or ""
    if (
        program
        and subprocess.run([program, "--version"], capture_output=True, check=False).returncode
    ):
        return ""
    return program


def test_the_public_tool_accepts_the_signature_and_no_changed_one(
    desk: Path, tmp_path: Path
) -> None:
    """model_signing of the OpenSSF, version 1.1.1 when this was written."""
    program = public_tool()
    if not program:
        pytest.skip("model_signing is not installed: pip install model-signing pyOpenSSL")
    assert call(desk, tmp_path / "a.bundle", FRAMES, desk / "frames", "--unproven") == 0
    made(desk, tmp_path / "a.bundle").unpack(tmp_path / "files")
    signature = tmp_path / "files" / "model.sig"
    command: list[str | Path] = [program, "verify", "key", "--public_key", desk / "desk.pem"]

    def verify() -> int:
        words = [*command, "--signature", signature, tmp_path / "files"]
        return subprocess.run(words, capture_output=True, check=False).returncode

    assert verify() == 0
    for name in ("model.onnx", "manifest.json", "frames/frames.json"):
        path = tmp_path / "files" / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert verify() != 0
        path.write_bytes(whole)
    (tmp_path / "files" / "more").write_text("x")
    assert verify() != 0


@pytest.mark.parametrize(
    ("missing", "words", "extra"),
    [
        ("cryptography", ["m.onnx", "--out", "b.bundle", "--key", "k"], "stampgate[bundle]"),
        ("onnx", ["m.onnx", "--out", "b.bundle", "--key", "k"], "stampgate[export]"),
        ("cryptography", ["index", "f", "--key", "k"], "stampgate[bundle]"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    missing: str,
    words: list[str],
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one line; the list of commands needs none of them."""
    for name in [name for name in sys.modules if name.startswith("export.")]:
        if name not in ("export.__main__", "export.bundling.command"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["bundle", *words]) == 2
    told = capsys.readouterr().err
    assert (extra in told, missing in told, told.count("\n")) == (True, True, 1)
