"""A proof travels in the file that it proves, and in no other; it changes nothing that decides."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edge.errors import InputError
from edge.vision.assessed import Assessed
from edge.vision.localizer import Localizer
from edge.vision.model_file import decision_digest, read_model
from edge.vision.proof_summary import PHOTOGRAPHS_KEY, PROOF_KEY
from export.__main__ import main
from export.attached import attach_proof, photographs_text, read_summary
from export.sealing import seal
from tests.tiny_model import CONTRACT, build, golden_pictures, paint, write_tiny_model
from tests.train.proof.studies import prove, scenes
from train.leakage import TRAINED, Met, MetPhotographs, write_met


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The tiny model, with a list of photographs in it."""
    met = MetPhotographs((Met(TRAINED, "a.jpg", "c" * 64, bytes(32)),))
    texts = {PHOTOGRAPHS_KEY: met.export_text()}
    path = tmp_path / "tiny.onnx"
    path.write_bytes(seal(build(CONTRACT), CONTRACT, golden_pictures(CONTRACT), texts))
    return path


@pytest.fixture
def proof(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desk proof of it."""
    monkeypatch.setattr("train.pages.pdf.browser", lambda: None)
    scenes(tmp_path / "u", 20)
    assert prove(model, tmp_path / "proof", "--unstamped", tmp_path / "u", plan="fa<15%") == 0
    return tmp_path / "proof"


def test_the_proof_travels_in_the_file(
    model: Path, proof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of another sum, and the same model: graph, contract, answers, golden pictures."""
    out = tmp_path / "new" / "proven.onnx"
    assert main(["export", str(model), "--proof", str(proof), "--out", str(out)]) == 0
    assert "desk: false accepts below 15 % shown (0 of 20 items" in capsys.readouterr().out
    before, now = read_model(model), read_model(out)
    assert before.sha256 != now.sha256
    assert before.decision_digest == now.decision_digest
    assert (before.contract, before.golden) == (now.contract, now.golden)
    assert now.texts.keys() == {PHOTOGRAPHS_KEY, PROOF_KEY}
    told = read_summary(proof)
    assert told.decision_digest == now.decision_digest
    assert told.model_sha256 == before.sha256
    frame = paint({"dot": [(16, 24)]})
    assert Localizer(out).find(frame, 0.01) == Localizer(model).find(frame, 0.01)
    assert Localizer(out).proof == told.line
    assert Localizer(model).proof == ""


def test_the_file_with_the_proof_is_proven_as_the_one_before(
    model: Path, proof: Path, tmp_path: Path
) -> None:
    """It is the model of the study that was frozen, and takes a newer proof in place of the old."""
    out = tmp_path / "proven.onnx"
    assert main(["export", str(model), "--proof", str(proof), "--out", str(out)]) == 0
    scenes(tmp_path / "v", 20, 50)
    assert prove(out, proof, "--unstamped", tmp_path / "v", plan="fa<15%") == 0
    assert main(["export", str(out), "--proof", str(proof), "--out", str(out)]) == 0
    assert "study 2" in Localizer(out).proof


@pytest.mark.parametrize("change", ["threshold", "graph"])
def test_a_proof_of_another_model_is_refused(
    change: str, proof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another threshold is another model, and so is one weight."""
    contract, graph = CONTRACT, build(CONTRACT)
    if change == "threshold":
        contract = dataclasses.replace(CONTRACT, threshold=0.45)
    else:
        low = next(i for i in graph.graph.initializer if i.name == "low")
        low.raw_data = np.float32(1e-6).tobytes()
    other, out = tmp_path / "other.onnx", tmp_path / "out.onnx"
    other.write_bytes(seal(graph, contract, golden_pictures(contract)))
    assert main(["export", str(other), "--proof", str(proof), "--out", str(out)]) == 1
    assert "proves another model" in capsys.readouterr().err
    assert not out.exists()


def test_what_decides_has_one_digest(tmp_path: Path) -> None:
    """Whatever else is in the metadata; each field of the contract and each weight changes it."""
    one = read_model(write_tiny_model(tmp_path / "a.onnx"))
    sealed = seal(build(CONTRACT), CONTRACT, golden_pictures(CONTRACT), {"note": "x"})
    assert decision_digest(sealed) == one.decision_digest
    assessed = Assessed(True, False, (9, 10), (0, 10), (1, 10))
    told = dataclasses.replace(CONTRACT, assessed=assessed)
    assert read_model(write_tiny_model(tmp_path / "b.onnx", told)).decision_digest == (
        one.decision_digest
    )
    others = {
        decision_digest(seal(build(contract), contract, golden_pictures(contract)))
        for contract in (
            dataclasses.replace(CONTRACT, threshold=0.51),
            dataclasses.replace(CONTRACT, run_digest="2" * 64),
            dataclasses.replace(CONTRACT, second_weight=1.0),
        )
    }
    assert len(others | {one.decision_digest}) == 4


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"summary": {"version": 1}}', b'{"summary": 5}', b"\xff"]
)
def test_what_is_no_proof_is_refused(content: bytes, model: Path, tmp_path: Path) -> None:
    """In one line."""
    folder = tmp_path / "none"
    folder.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        attach_proof(model.read_bytes(), folder)
    (folder / "proof.json").write_bytes(content)
    with pytest.raises(InputError, match="must be a proof") as refused:
        attach_proof(model.read_bytes(), folder)
    assert "\n" not in str(refused.value)


def test_a_file_takes_a_proof_and_nothing_else(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A threshold is the run's to change."""
    words = ["export", str(model), "--out", str(tmp_path / "o.onnx")]
    for more in ([], ["--threshold", "0.6"], ["--proof", "p", "--anyway"]):
        assert main([*words, *more]) == 2
        assert "name the folder of a run" in capsys.readouterr().err


def test_hashes_come_from_the_run(tmp_path: Path) -> None:
    """A run of an earlier release has none, and nobody pretends otherwise."""
    assert photographs_text(tmp_path) == {}
    write_met(MetPhotographs((Met(TRAINED, "a.jpg", "c" * 64, bytes(32)),)), "inputs", tmp_path)
    text = photographs_text(tmp_path)[PHOTOGRAPHS_KEY]
    assert json.loads(text)["left_out"] == 0
    told = MetPhotographs.from_export(text)
    assert told is not None
    assert told.same_file("c" * 64) is not None
