import json
import platform
import shutil
from collections import Counter
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from bench.census.__main__ import MODEL, expected, main
from bench.census.counting import census, count, differences
from bench.census.emulated import KIT, emulated_census, is_made
from bench.layouts import ARM_LIKE, X86, layouts
from edge.config import DEFAULT_MODEL
from edge.errors import InputError
from tests.paths import ROOT
from tests.tiny_model import write_tiny_model

needs_x86 = pytest.mark.skipif(
    X86 not in layouts(), reason=f"the layouts of {platform.machine()} are other ones"
)


@needs_x86
def test_no_fusion_of_the_packaged_model_is_lost_in_the_layout_of_an_arm_board() -> None:
    """Every operator as often as written down: one that stands alone was inside another before."""
    found = census(DEFAULT_MODEL, layouts()[ARM_LIKE])
    assert differences(expected(), found) == []
    assert not found["Relu"]
    assert not any(name.startswith("nchwc.") for name in found)


def test_the_aarch64_wheel_gives_the_operators_that_are_written_down() -> None:
    """By the wheel itself, on an emulated Cortex-A76; it takes some ten seconds."""
    if not is_made(ROOT / KIT):
        pytest.skip("build/census is not there; 'make census ARGS=--emulated' makes it")
    (found,) = emulated_census(DEFAULT_MODEL, ROOT / KIT).values()
    assert differences(expected(), found) == []


@needs_x86
def test_a_fusion_that_is_lost_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Relu behind two convolutions at once cannot be fused; the command says so and ends with 1."""
    model = onnx.load(DEFAULT_MODEL)
    relu = next(node for node in model.graph.node if node.op_type == "Relu")
    model.graph.node.append(helper.make_node("Neg", [relu.input[0]], ["watched"]))
    model.graph.output.append(helper.make_tensor_value_info("watched", TensorProto.FLOAT, None))
    shutil.copytree(ROOT / "edge/default", tmp_path / "edge/default")
    onnx.save(model, tmp_path / MODEL)
    monkeypatch.chdir(tmp_path)
    assert main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    relus = expected()["FusedConv[Relu]"]
    assert f"{MODEL}: FusedConv[Relu]: {relus - 1}, not {relus}" in lines
    assert f"{MODEL}: Relu: 1, not 0" in lines


@needs_x86
def test_the_census_tells_layouts_and_fused_activations_apart(tmp_path: Path) -> None:
    """The tiny model: its clipped convolution is fused in both layouts, in blocks in one."""
    model = write_tiny_model(tmp_path / "m.onnx")
    as_it_is = count(model.read_bytes())
    assert as_it_is["Conv"] == 3
    assert as_it_is == Counter(node.op_type for node in onnx.load(model).graph.node)
    blocked, plain = (census(model, entries) for entries in layouts().values())
    assert "FusedConv[Clip]" in plain
    assert "Clip" not in plain
    assert any(name.startswith("nchwc.Conv") for name in blocked)


def test_counts_are_printed_as_json_for_another_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each layout of this machine, and nothing else."""
    model = write_tiny_model(tmp_path / "m.onnx")
    assert main([str(model), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {name: census(model, entries) for name, entries in layouts().items()}


@pytest.mark.parametrize("content", [None, b"no model"])
def test_what_is_no_model_is_one_line(
    content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not there, and one that is something else."""
    path = tmp_path / "m.onnx"
    if content is not None:
        path.write_bytes(content)
    assert main([str(path)]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "m.onnx: " in error
    assert "name another" in error


def test_an_emulator_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """What is no kit is not made one by asking it."""
    assert not is_made(tmp_path)
    with pytest.raises(InputError, match=r"the emulator cannot be used .*; remove it"):
        emulated_census(DEFAULT_MODEL, tmp_path)
