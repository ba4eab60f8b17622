import collections
import dataclasses
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from bench.census.counting import census
from bench.layouts import NO_BLOCKS
from edge.config import DEFAULT_MODEL
from edge.errors import InputError, ModelError
from edge.vision.contract import METADATA_KEY, Contract
from edge.vision.golden import GOLDEN_KEY
from edge.vision.localizer import Localizer
from edge.vision.model_file import SUM_KEY, read_model
from export.__main__ import main
from export.rewriting import rewrite
from export.to_onnx import PRECISION_KEY, Deployed, Exported, contract_of, export_run, to_onnx
from tests.painting import save_mark
from train.assess.frozen_pictures import Part
from train.config import BACKBONES, FitSettings, RunConfig
from train.learn.validation_set import paint_validation_set
from train.network import checkpoint
from train.network.checkpoint import Checkpoint
from train.network.held_out import KEPT, write_held_out
from train.network.model import NECK_CHANNELS, DenseLocalizer
from train.paint.inputs import read_inputs

ALLOWED = {
    *(
        "Conv",
        "Relu",
        "HardSwish",
        "HardSigmoid",
        "Clip",
        "Sigmoid",
        "Exp",
        "MaxPool",
        "GlobalAveragePool",
    ),
    *(
        "Add",
        "Sub",
        "Mul",
        "Resize",
        "Cast",
        "Transpose",
        "Unsqueeze",
        "Concat",
        "Reshape",
        "Split",
    ),
}
"""Convolutions, elementwise functions, pooling, nearest-neighbour doubling and the order of the
answer: what every accelerator takes."""
Translated = tuple[DenseLocalizer, onnx.ModelProto]


def untrained(
    folder: Path, backbone: str = "mobilenet_v3_small", threshold: float | None = 0.5
) -> Checkpoint:
    """A checkpoint of random weights; batch norm has seen something, so that folding it matters."""
    torch.manual_seed(1)
    marks = tuple((name, str(save_mark(folder, name))) for name in ("disc", "star"))
    config = RunConfig(marks, "", (), fit=FitSettings(backbone=backbone, size=96))
    net = DenseLocalizer(backbone, 2)
    for _ in range(3):
        net(torch.randint(0, 255, (2, 96, 96, 3), dtype=torch.uint8))
    with torch.no_grad():
        net.heat.weight.normal_(0.0, 6.0)  # so that the answers differ from cell to cell
        net.sides.weight.normal_(0.0, 1.0)
    return Checkpoint(config, net.state_dict(), net.state_dict(), {}, 3, 1.0, threshold)


def save_run(kept: Checkpoint, folder: Path) -> Path:
    """Write a run's folder, with held-out pictures, into *folder* and return it."""
    run = folder / "run"
    run.mkdir()
    checkpoint.save(kept, run)
    pictures = paint_validation_set(read_inputs(kept.config), KEPT)
    write_held_out(np.stack([picture.pixels for picture in pictures]), run)
    return run


@pytest.fixture(scope="module", params=BACKBONES)
def translated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Translated:
    """An untrained network with each backbone, and its graph."""
    kept = untrained(tmp_path_factory.mktemp(request.param), request.param)
    return kept.network(), to_onnx(kept, contract_of(kept, "0" * 64))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder, which no test changes."""
    folder = tmp_path_factory.mktemp("untrained")
    return save_run(untrained(folder), folder)


@pytest.fixture(scope="module")
def exported(run: Path) -> Exported:
    """What that run was exported to, in a folder that was not there before."""
    return export_run(run, run.parent / "out" / "m.onnx")


def test_activations_are_fused_with_their_convolutions_on_an_arm_board(
    exported: Exported,
) -> None:
    """But hard-swish, which that layout has no kernel for: it is two operators there.

    Of 19 Relu none stands alone, nor a HardSigmoid of squeeze-and-excite.
    """
    found = census(exported.path, NO_BLOCKS)
    swishes, squeezes = 11, 6
    assert found["FusedConv[Relu]"] == 19
    assert found["FusedConv[HardSigmoid]"] == squeezes
    assert (found["Relu"], found["HardSwish"]) == (0, 0)
    assert (found["HardSigmoid"], found["Mul"]) == (swishes, swishes + squeezes)


def test_the_graph_holds_convolutions_and_nothing_odd(translated: Translated) -> None:
    """Batch norm and gain folded into the convolutions, uint8 picture in, dense answers out."""
    net, proto = translated
    kinds = collections.Counter(node.op_type for node in proto.graph.node)
    assert set(kinds) <= ALLOWED
    assert [node.op_type for node in proto.graph.node][:4] == ["Cast", "Transpose", "Sub", "Conv"]
    # Three convolutions and two heads are written in another way, with 9 + 8 + 8 and 2.
    assert kinds["Conv"] == sum(isinstance(m, torch.nn.Conv2d) for m in net.modules()) - 5 + 27
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*proto.graph.input, *proto.graph.output)
    }
    assert shapes == {
        "picture": ["n", "height", "width", 3],
        "heat": ["n", 2, "height / 8", "width / 8"],
        "sides": ["n", 4, "height / 8", "width / 8"],
    }
    assert proto.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8


def run_graph(proto: onnx.ModelProto, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """What onnxruntime answers, by name."""
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(names, {"picture": pictures}), strict=True))


def framed(count: int, height: int, width: int) -> np.ndarray:
    """Noise with a frame of black, white and colours.

    Where a convolution reaches over the border it is far from it.
    """
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (count, height, width, 3)).astype(np.uint8)
    pictures[:, :2], pictures[:, -2:], pictures[:, :, :2], pictures[:, :, -2:] = (
        255,
        (255, 0, 0),
        0,
        (0, 255, 0),
    )
    return pictures


@pytest.mark.parametrize(("count", "height", "width"), [(1, 32, 32), (3, 48, 80)])
def test_the_rewritten_graph_answers_as_torch_does_up_to_the_border(
    translated: Translated, count: int, height: int, width: int
) -> None:
    """Any number of pictures with sides of any multiple of 16, though the arithmetic is another."""
    net, proto = translated
    pictures = framed(count, height, width)
    given = run_graph(proto, pictures)
    with torch.no_grad():
        logits, sides = net(torch.from_numpy(pictures))
    assert np.abs(torch.sigmoid(logits).numpy() - given["heat"]).max() < 1e-5
    assert np.abs(sides.numpy() / given["sides"] - 1).max() < 1e-5


def test_the_convolutions_before_the_answer_multiply_two_thirds_as_often(
    translated: Translated,
) -> None:
    """Columns go through three of the four in halves.

    No mean is left either, for which onnxruntime would reorder channels.
    """
    graph = translated[1].graph
    weights = {constant.name: tuple(constant.dims) for constant in graph.initializer}
    halves = [
        n
        for n in graph.node
        if n.op_type == "Conv" and weights[n.input[1]] == (NECK_CHANNELS, NECK_CHANNELS, 3, 1)
    ]
    assert len(halves) == 3 * 4
    assert not [node for node in graph.node if node.op_type in ("ReduceMean", "Div")]


def test_every_size_is_named_as_it_is(translated: Translated) -> None:
    """What onnxruntime believes about every value is compared with a run that shows them all."""
    proto = onnx.ModelProto.FromString(translated[1].SerializeToString())
    named = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*proto.graph.value_info, *proto.graph.output)
    }
    assert set(named) == {name for node in proto.graph.node for name in node.output}
    proto.graph.output.extend(proto.graph.value_info)
    free, given = {"n": 3, "height": 48, "width": 80}, run_graph(proto, framed(3, 48, 80))

    def size(name: str | int) -> float:
        word, _, divisor = str(name).partition(" / ")
        return free[word] / int(divisor or 1) if word in free else int(word)

    assert {name: list(given[name].shape) for name in named} == {
        n: [size(s) for s in told] for n, told in named.items()
    }


def test_a_file_of_an_earlier_day_can_be_rewritten_and_keeps_its_answers() -> None:
    """The packaged model, with the weights of a real training; a second time changes nothing."""
    before, after = onnx.load(DEFAULT_MODEL), onnx.load(DEFAULT_MODEL)
    rewrite(after)
    onnx.checker.check_model(after, full_check=True)
    once = after.SerializeToString(deterministic=True)
    rewrite(after)
    assert after.SerializeToString(deterministic=True) == once
    assert after.metadata_props == before.metadata_props
    shape = before.graph.input[0].type.tensor_type.shape.dim
    pictures = framed(1, *(dim.dim_value or 96 for dim in shape[1:3]))
    wanted, given = run_graph(before, pictures), run_graph(after, pictures)
    assert np.abs(wanted["heat"] - given["heat"]).max() < 1e-5
    assert np.abs(wanted["sides"] / given["sides"] - 1).max() < 1e-4


def test_an_exported_file_answers_as_torch_does_and_carries_its_contract(
    run: Path, exported: Exported
) -> None:
    """Through the box's own localizer."""
    localizer = Localizer(exported.path)
    assert localizer.contract == exported.contract
    assert localizer.contract.classes == ("disc", "star")
    assert localizer.contract.run_digest == checkpoint.digest(run)
    picture = np.random.default_rng(0).integers(0, 255, (96, 96, 3)).astype(np.uint8)
    (heat,), (sides,) = localizer.infer(picture[None])
    with torch.no_grad():
        logits, torch_sides = checkpoint.load(run).network()(torch.from_numpy(picture[None]))
    assert np.abs(torch.sigmoid(logits[0]).numpy() - heat).max() < 1e-4
    assert np.abs(torch_sides[0].numpy() - sides).max() < 1e-3
    assert np.ptp(heat) > 0.05


def test_no_path_of_this_machine_is_in_the_file(run: Path, exported: Exported) -> None:
    """Exporters like to write down where their sources lie."""
    content = exported.path.read_bytes()
    assert str(Path(torch.__file__).parent.parent).encode() not in content
    assert str(run.parent).encode() not in content
    texts = {entry.key: entry.value for entry in onnx.load(exported.path).metadata_props}
    assert list(texts) == [METADATA_KEY, GOLDEN_KEY, SUM_KEY]
    assert Contract.from_json(texts[METADATA_KEY]) == exported.contract


def test_a_file_that_answers_otherwise_never_appears(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spoil one weight on the way: parity refuses, and what was there before stays."""
    out = tmp_path / "m.onnx"
    out.write_bytes(b"the model of yesterday")
    original = Deployed.__init__

    def spoilt(self: Deployed, net: DenseLocalizer) -> None:
        original(self, net)
        with torch.no_grad():
            assert net.heat.bias is not None
            net.heat.bias.add_(0.5)

    monkeypatch.setattr(Deployed, "__init__", spoilt)
    with pytest.raises(ModelError, match="must answer as torch does"):
        export_run(run, out)
    assert out.read_bytes() == b"the model of yesterday"
    assert list(tmp_path.iterdir()) == [out]


def test_a_run_without_threshold_is_not_exported(tmp_path: Path) -> None:
    """After a power cut in mid-training there are weights, but no score that counts."""
    with pytest.raises(InputError, match="--resume"):
        export_run(save_run(untrained(tmp_path, threshold=None), tmp_path), tmp_path / "m.onnx")


@pytest.mark.parametrize("content", [None, b"", b"rubbish"])
def test_a_run_without_its_held_out_pictures_is_not_exported(
    run: Path,
    exported: Exported,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
) -> None:
    """There would be nothing to check the file on, be it ever so well translated."""
    monkeypatch.setattr("export.to_onnx.to_onnx", lambda *_, **__: onnx.load(exported.path))
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / "held_out.npz").unlink()
    if content is not None:
        (copy / "held_out.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"held_out.npz: cannot be read .* bring the whole folder"):
        export_run(copy, tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.slow
def test_a_full_disk_leaves_one_line_and_no_file(run: Path, tmp_path: Path) -> None:
    """The real command under a limit on the size of files: a program sees a full disk like that."""
    folder = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-m", "export", "export", str(run), "--out", str(folder / "m.onnx")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"stampgate: {folder / 'm.onnx'}: cannot be written")
    assert "make room" in line
    assert list(folder.iterdir()) == []


def test_the_contract_follows_the_run(tmp_path: Path) -> None:
    """Size, classes and threshold are the run's own."""
    kept = untrained(tmp_path, threshold=0.4321987)
    contract = contract_of(kept, "ab" * 32)
    side, synth = kept.config.fit.size, kept.config.synth
    sizes = (side * synth.size_min, side * synth.size_max)
    assert contract.mark_px == pytest.approx(sizes, abs=0.1)
    assert dataclasses.astuple(contract)[1:3] == (96, 96)
    assert (contract.classes, contract.threshold, contract.run_digest) == (
        ("disc", "star"),
        0.4322,
        "ab" * 32,
    )


@pytest.fixture
def few_pictures(run: Path, exported: Exported, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That run, translated already, with few frozen pictures."""
    monkeypatch.setattr("export.to_onnx.to_onnx", lambda *_, **__: onnx.load(exported.path))
    few = {Part.JUDGE: {"stamped": 2, "unstamped": 1}, Part.CALIBRATE: {}, Part.CHOOSE: {}}
    monkeypatch.setattr("train.assess.frozen_pictures.COUNTS", few)
    return run


def test_a_lower_precision_is_written_with_what_its_gate_found(
    few_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed with golden pictures of its own; the box opens it like any other."""
    monkeypatch.setattr("export.precision.gate.GateResult.failures", [])
    told: list[str] = []
    out = tmp_path / "half.onnx"
    export_run(few_pictures, out, precision="fp16", tell=told.append)
    file = read_model(out)
    said = json.loads(file.texts[PRECISION_KEY])
    assert said["precision"] == "fp16"
    assert said["gate"]["pictures"]["all"][0] == 3
    assert any(line.startswith("all ") for line in told)
    assert Localizer(out).golden == file.golden
    kinds = {c.data_type for c in onnx.load(out).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds


def test_a_precision_that_its_gate_refuses_leaves_no_file(
    few_pictures: Path, tmp_path: Path
) -> None:
    """Three pictures prove nothing; what was there before stays."""
    out = tmp_path / "half.onnx"
    out.write_bytes(b"the model of yesterday")
    with pytest.raises(ModelError, match=r"--precision fp16: does not decide as float32 does: 3 "):
        export_run(few_pictures, out, precision="fp16", tell=lambda _line: None)
    assert out.read_bytes() == b"the model of yesterday"
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_that_was_exported_before_keeps_its_precision(
    exported: Exported, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has no pictures to be judged on."""
    out = tmp_path / "m.onnx"
    command = ["export", str(exported.path), "--out", str(out), "--precision", "int8"]
    assert main([*command, "--proof", str(tmp_path)]) == 2
    assert "takes --proof and no other option" in capsys.readouterr().err
    assert not out.exists()
