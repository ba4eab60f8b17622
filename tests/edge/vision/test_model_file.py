import dataclasses
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge.errors import ConfigError, ModelError
from edge.vision import model_file
from edge.vision.contract import METADATA_KEY
from edge.vision.golden import GOLDEN_KEY
from edge.vision.localizer import Localizer
from edge.vision.model_file import SUM_KEY, examine, find_sum, read_model, sum_of
from export.sealing import seal_texts
from tests.tiny_model import CONTRACT, build, paint, sealed, two_classes, write_tiny_model

CONTRACT_TEXT = CONTRACT.to_json()


def golden_text() -> str:
    """The golden pictures of the tiny model."""
    return examine(Path("m"), sealed(CONTRACT)).golden.to_json()


def resummed(content: bytes) -> bytes:
    """A changed file with the right sum: as by somebody who seals a file of his own."""
    begin, end = find_sum(content)
    return content[:begin] + sum_of(content, begin, end).encode() + content[end:]


def parsed(content: bytes) -> onnx.ModelProto:
    """The model in a file."""
    model: onnx.ModelProto = onnx.ModelProto.FromString(content)
    return model


def refusal(content: bytes) -> str:
    """Why a file is refused, in one line that names it."""
    with pytest.raises(ModelError) as caught:
        examine(Path("m.onnx"), content)
    text = str(caught.value)
    assert text.startswith("m.onnx: ")
    assert "\n" not in text
    return text


def test_a_sealed_file_is_read_with_its_sum_contract_and_golden_pictures(tmp_path: Path) -> None:
    """The SHA-256 is that of the whole file, as sha256sum prints it."""
    path = write_tiny_model(tmp_path / "m.onnx")
    file = read_model(path)
    assert file.content == path.read_bytes()
    assert file.sha256 == hashlib.sha256(file.content).hexdigest()
    assert file.contract == CONTRACT
    assert [picture.decision for picture in file.golden.pictures] == ["pass", "reject", "reject"]


def test_the_sum_named_is_of_the_bytes_that_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is exchanged once it was read changes neither answers nor sum."""
    path = write_tiny_model(tmp_path / "m.onnx")
    read, first = model_file._read, path.read_bytes()

    def exchanged(path: Path) -> bytes:
        content = read(path)
        write_tiny_model(path, two_classes())
        return content

    monkeypatch.setattr(model_file, "_read", exchanged)
    localizer = Localizer(path)
    assert path.read_bytes() != first
    assert localizer.sha256 == hashlib.sha256(first).hexdigest()
    assert localizer.contract.classes == ("dot",)
    assert len(localizer.find(paint({"dot": [(16, 24)]}))) == 1


def test_a_file_without_a_sum_is_refused_with_the_next_step() -> None:
    """As of a release before this one."""
    model = build(CONTRACT)
    helper.set_model_props(model, {METADATA_KEY: CONTRACT_TEXT})
    text = refusal(model.SerializeToString())
    assert "carries no stampgate.sum" in text
    assert "export it again with 'stampgate export'" in text


def test_a_file_without_golden_pictures_is_refused_with_the_next_step() -> None:
    """However right its sum is."""
    text = refusal(seal_texts(build(CONTRACT), CONTRACT_TEXT, ""))
    assert "carries no stampgate.golden" in text
    assert "export it again" in text


def test_exchanged_texts_and_names_are_refused() -> None:
    """The contract of another model, a class by another name, two tensors by each other's."""
    whole, other = sealed(two_classes()), sealed(CONTRACT)
    for content in (
        whole.replace(b'"dot", "square"', b'"square", "dot"'),
        whole.replace(b'"threshold": 0.5', b'"threshold": 0.1'),
        whole.replace(b"weights", b"\0").replace(b"nothing", b"weights").replace(b"\0", b"nothing"),
        other[: other.index(b"stampgate.")] + whole[whole.index(b"stampgate.") :],
    ):
        assert content != whole
        assert "damaged, or changed after it was sealed" in refusal(content) or (
            "not an ONNX model" in refusal(content)
        )


def doubled(key: str, value: str) -> Callable[[onnx.ModelProto], None]:
    """Make a change that adds the metadata *key* once more."""

    def change(model: onnx.ModelProto) -> None:
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value

    return change


def without(key: str) -> Callable[[onnx.ModelProto], None]:
    """Make a change that drops the metadata *key*."""

    def change(model: onnx.ModelProto) -> None:
        kept = [(p.key, p.value) for p in model.metadata_props if p.key != key]
        helper.set_model_props(model, dict(kept))

    return change


def short_sum(model: onnx.ModelProto) -> None:
    """Shorten the sum by one."""
    next(p for p in model.metadata_props if p.key == SUM_KEY).value = "0" * 63


def trained_on(model: onnx.ModelProto) -> None:
    """Add a graph for training, which a runtime might take."""
    model.training_info.add()


def with_function(model: onnx.ModelProto) -> None:
    """Add a function, in which a graph might hide."""
    model.functions.add().name = "f"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (doubled(METADATA_KEY, "{}"), "metadata have the key 'stampgate.contract' twice"),
        (doubled(SUM_KEY, "0" * 64), "metadata have the key 'stampgate.sum' twice"),
        (doubled(GOLDEN_KEY, ""), "metadata have the key 'stampgate.golden' twice"),
        (without(METADATA_KEY), "carries no stampgate.contract"),
        (without(SUM_KEY), "carries no stampgate.sum"),
        (short_sum, "its stampgate.sum must be 64 characters, once"),
        (trained_on, "field 20 is none of an exported model"),
        (with_function, "field 25 is none of an exported model"),
    ],
)
def test_metadata_that_two_readers_could_read_in_two_ways_are_refused(
    change: Callable[[onnx.ModelProto], None], message: str
) -> None:
    """Each key once, and no part in which another model could lie."""
    model = parsed(sealed(CONTRACT))
    change(model)
    assert message in refusal(model.SerializeToString())


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (b"\x3a\x00", "field 7 is there twice"),  # a second graph, which protobuf merges
        (b"\x08\x08", "field 1 is there twice"),
        (b"\x72\x00", "metadata must be pairs of one key and one value"),
        (b"\x0b", "wire type 3 is none"),
        (b"\x72\x80\x00", "longer than it need be"),
        (b"\x72\x7f", "cut off"),
        (b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "has no end"),
        (b"\x00\x00", "no field has the number 0"),
        (b"\x92\x03\x00", "field 50 is none of an exported model"),
    ],
)
def test_bytes_that_a_laxer_reader_would_pass_over_are_refused(add: bytes, message: str) -> None:
    """Appended to a file; the sum would refuse them too, were there a sum to find."""
    assert message in refusal(sealed(CONTRACT) + add)


def external(tensor: TensorProto) -> None:
    """Let a tensor's data lie in another file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", "0"), ("length", "12")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def hidden(model: onnx.ModelProto, tensor: TensorProto, how: str) -> None:
    """Put a tensor where a walk over the initialisers alone would not find it."""
    node = model.graph.node.add()
    node.op_type, attribute = "If", node.attribute.add()
    match how:
        case "attribute":
            attribute.t.CopyFrom(tensor)
        case "list":
            attribute.tensors.add().CopyFrom(tensor)
        case "sparse":
            attribute.sparse_tensor.values.CopyFrom(tensor)
        case "branch":
            attribute.g.initializer.add().CopyFrom(tensor)
        case "branches":
            attribute.graphs.add().node.add().attribute.add().t.CopyFrom(tensor)


@pytest.mark.parametrize("how", ["plain", "attribute", "list", "sparse", "branch", "branches"])
def test_external_data_are_refused_wherever_they_lie(how: str) -> None:
    """Their file could be exchanged under an unchanged sum; the sum is right here."""
    model = parsed(sealed(CONTRACT))
    tensor = TensorProto()
    tensor.CopyFrom(numpy_helper.from_array(np.zeros(3, np.float32), "elsewhere"))
    external(tensor)
    if how == "plain":
        model.graph.initializer.add().CopyFrom(tensor)
    else:
        hidden(model, tensor, how)
    content = seal_texts(model, CONTRACT_TEXT, golden_text())
    assert "keeps data outside the file" in refusal(content)


def test_graphs_nested_without_end_are_refused() -> None:
    """A reader that follows them would run out of stack."""
    model = parsed(sealed(CONTRACT))
    graph = model.graph
    for _ in range(20):
        graph = graph.node.add().attribute.add().g
    content = seal_texts(model, CONTRACT_TEXT, golden_text())
    assert "nested deeper" in refusal(content)


def test_a_pinned_file_must_be_that_file(tmp_path: Path) -> None:
    """`[model] sha256`, in capitals too; another file that is whole is refused all the same."""
    path = write_tiny_model(tmp_path / "m.onnx")
    pin = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_model(path, pin.upper()).sha256 == pin
    other = write_tiny_model(tmp_path / "n.onnx", two_classes())
    with pytest.raises(ModelError, match=rf"n\.onnx: its SHA-256 must be {pin}, .* pins, not "):
        read_model(other, pin)


@pytest.mark.parametrize("pin", ["abc", "g" * 64, "0" * 65])
def test_a_pin_that_is_no_sum_is_a_wrong_setting(tmp_path: Path, pin: str) -> None:
    """It can never match."""
    path = write_tiny_model(tmp_path / "m.onnx")
    with pytest.raises(ConfigError, match=r"\[model\] sha256 must be 64 hexadecimal digits"):
        read_model(path, pin)


def test_only_a_regular_file_of_bounded_size_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A FIFO would hang the start, and a folder is none."""
    fifo, folder, loop = tmp_path / "fifo", tmp_path / "folder", tmp_path / "loop"
    os.mkfifo(fifo)
    folder.mkdir()
    loop.symlink_to(loop)
    for path, why in ((fifo, "no such model file"), (folder, "no such model"), (loop, "be read")):
        with pytest.raises(ModelError, match=why):
            read_model(path)
    path = write_tiny_model(tmp_path / "m.onnx")
    monkeypatch.setattr(model_file, "MOST_BYTES", 1 << 10)
    with pytest.raises(ModelError, match="must have at most"):
        read_model(path)


def test_a_model_that_answers_otherwise_is_refused_however_it_is_sealed(tmp_path: Path) -> None:
    """One flipped sign, and the sum made right again: the golden pictures tell."""
    whole = sealed(CONTRACT)
    (weights,) = (t for t in parsed(whole).graph.initializer if t.name == "weights")
    at = whole.index(weights.raw_data) + 3
    flipped = resummed(whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :])
    examine(Path("m.onnx"), flipped)
    path = tmp_path / "m.onnx"
    path.write_bytes(flipped)
    with pytest.raises(ModelError, match=r"m\.onnx: golden picture .* is not judged as it must be"):
        Localizer(path)


def test_a_lowered_threshold_is_refused_however_it_is_sealed(tmp_path: Path) -> None:
    """The near miss would pass."""
    lower = dataclasses.replace(CONTRACT, threshold=0.2)
    path = tmp_path / "m.onnx"
    path.write_bytes(seal_texts(build(CONTRACT), lower.to_json(), golden_text()))
    with pytest.raises(ModelError, match="the decision is pass, must be reject"):
        Localizer(path)
