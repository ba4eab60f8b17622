"""A model file: read once, bounded, hashed and checked against its own sum before anything uses it.

::

    bytes → SHA-256, pinned? → fields → sum → contract, golden pictures → no external data → network

A file of ours has a model seal: its metadata hold, under :data:`SUM_KEY`, the SHA-256 of the whole
file with that sum itself blanked. A flipped bit, a zeroed sector, a cut or a longer file, an
exchanged text: whatever is not as the exporter left it is refused. The sum guards against damage,
not against somebody who seals a file of his own; a file is pinned by ``[model] sha256``. Those very
bytes are loaded, and no others are: data outside the file are refused.

:mod:`export.sealing` is what writes such a file.
"""

import dataclasses
import errno
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ConfigError, ModelError
from edge.files import read_bounded
from edge.vision.contract import METADATA_KEY, Contract
from edge.vision.golden import GOLDEN_KEY, GoldenSet
from edge.vision.protobuf import BYTES, VARINT, Field, fields

SUM_KEY = "stampgate.sum"
BLANK = b"0" * 64
"""What stands in place of the sum while it is taken."""
OURS = (METADATA_KEY, GOLDEN_KEY, SUM_KEY)
"""Texts of the metadata that a :class:`ModelFile` has as something better."""
MOST_BYTES = 256 << 20
"""Largest file read. The largest backbone on offer makes a tenth of it."""

IR_VERSION, PRODUCER, PRODUCER_VERSION, DOMAIN, MODEL_VERSION, DOCUMENT, GRAPH = range(1, 8)
OPSET, METADATA = 8, 14
MODEL_FIELDS = {
    IR_VERSION: VARINT,
    PRODUCER: BYTES,
    PRODUCER_VERSION: BYTES,
    DOMAIN: BYTES,
    MODEL_VERSION: VARINT,
    DOCUMENT: BYTES,
    GRAPH: BYTES,
    OPSET: BYTES,
    METADATA: BYTES,
}
"""Fields of ModelProto that an exported model has, and their wire types (``onnx.proto``)."""
REPEATED = {OPSET, METADATA}

HOLDERS: dict[str, dict[int, str]] = {
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""The messages of ``onnx.proto`` in which tensors lie, with the fields that lead to them."""
EXTERNAL_DATA, DATA_LOCATION = 13, 14
"""Fields of TensorProto that point out of the file."""
MOST_DEPTH = 16
"""Deepest nesting of such messages; a plain graph has three."""


@dataclass(frozen=True)
class ModelFile:
    """The bytes of a model file, proven to be those that were sealed, and what they say.

    *sha256*: of the whole content, in hex, as ``sha256sum`` prints it; *texts*: the other texts of
    its metadata, by their keys.
    """

    path: Path
    content: bytes
    sha256: str
    contract: Contract
    golden: GoldenSet
    texts: Mapping[str, str]

    @property
    def decision_digest(self) -> str:
        """SHA-256, in hex, over all that decides: the graph and the contract."""
        return decision_digest(self.content)


def read_model(path: Path, pin: str = "") -> ModelFile:
    """Read and check the model file *path*; *pin*: SHA-256 that it must have, any when empty.

    Raises ModelError with one line, and ConfigError for a *pin* that is none.
    """
    return examine(path, _read(path), pin)


def examine(path: Path, content: bytes, pin: str = "") -> ModelFile:
    """Check the *content* of a model file; the rest is as of :func:`read_model`."""
    found = hashlib.sha256(content).hexdigest()
    _check_pin(path, pin, found)
    try:
        parts = _parts(content)
    except ValueError as error:
        raise ModelError(
            f"{path}: not an ONNX model that can be loaded ({error}); export or copy it again"
        ) from None
    try:
        texts = {key: content[f.begin : f.end].decode() for key, f in _metadata(content, parts)}
        contract = _contract_text(texts)
        check_sum(content)
        read = Contract.from_json(contract), GoldenSet.from_json(texts.get(GOLDEN_KEY, ""))
        _check_tensors(content, next(part for part in parts if part.number == GRAPH))
    except (ModelError, ValueError) as error:
        raise ModelError(f"{path}: {error}") from None
    others = {key: text for key, text in texts.items() if key not in OURS}
    return ModelFile(path, content, found, *read, others)


def _read(path: Path) -> bytes:
    """Return the content of a regular file of bounded size; nothing else is waited for."""
    try:
        return read_bounded(path, MOST_BYTES)
    except OSError as error:
        raise ModelError(f"{path}: {_why_unread(error)}") from None


def _why_unread(error: OSError) -> str:
    """Return why a model file was not read, with the next step."""
    if error.errno == errno.EIO:
        return f"cannot be read ({error.strerror}); copy it again"
    why = {
        errno.ENOENT: "no such model file",
        errno.ENOTDIR: "no such model file",
        errno.EISDIR: "no such model file, but a folder or device",
        errno.EINVAL: "no such model file, but a folder or device",
        errno.EFBIG: f"must have at most {MOST_BYTES >> 20} MiB",
    }.get(error.errno or 0, f"cannot be read ({error.strerror})")
    return f"{why}; name an ONNX file made by 'stampgate export'"


def _check_pin(path: Path, pin: str, found: str) -> None:
    wanted = pin.strip().lower()
    if wanted and (len(wanted) != len(found) or set(wanted) - set("0123456789abcdef")):
        raise ConfigError(
            f"[model] sha256 must be 64 hexadecimal digits, as sha256sum prints them, not "
            f"{pin[:80]!r}; correct it there"
        )
    if wanted and wanted != found:
        raise ModelError(
            f"{path}: its SHA-256 must be {wanted}, which [model] sha256 pins, not {found}; "
            "copy the right file, or correct the setting when the model was changed on purpose"
        )


def _parts(content: bytes) -> list[Field]:
    """Return the fields of the whole file. Raises ValueError unless it is a model of our kind."""
    parts = list(fields(content, 0, len(content)))
    seen: set[int] = set()
    for part in parts:
        if MODEL_FIELDS.get(part.number) != part.wire:
            raise ValueError(f"byte {part.begin}: field {part.number} is none of an exported model")
        if part.number in seen - REPEATED:
            raise ValueError(f"byte {part.begin}: field {part.number} is there twice")
        seen.add(part.number)
    if GRAPH not in seen:
        raise ValueError("it has no graph")
    return parts


def _metadata(content: bytes, parts: list[Field]) -> Iterator[tuple[str, Field]]:
    """Yield each key of ``metadata_props`` and where its value lies. Raises ValueError."""
    seen: set[str] = set()
    for part in parts:
        if part.number != METADATA:
            continue
        pair = list(fields(content, part.begin, part.end))
        if [(field.number, field.wire) for field in pair] != [(1, BYTES), (2, BYTES)]:
            raise ValueError("its metadata must be pairs of one key and one value; export it again")
        key = content[pair[0].begin : pair[0].end].decode()
        if key in seen:
            raise ValueError(f"its metadata have the key {key[:40]!r} twice; export it again")
        seen.add(key)
        yield key, pair[1]


def _contract_text(texts: dict[str, str]) -> str:
    """Return the contract's text, once there is one and a sum that protects it."""
    if METADATA_KEY not in texts:
        raise ModelError(
            f"carries no {METADATA_KEY}, so it was not made by 'stampgate export'; "
            "export one and use that"
        )
    if SUM_KEY not in texts:
        raise ModelError(
            f"carries no {SUM_KEY}, so nobody can tell whether it is damaged; "
            "export it again with 'stampgate export' of this release"
        )
    return texts[METADATA_KEY]


def find_sum(content: bytes) -> tuple[int, int]:
    """Return where the sum of a sealed file lies: its first byte, and the one after its last.

    Raises ValueError unless it is there exactly once, as 64 characters.
    """
    found = [field for key, field in _metadata(content, _parts(content)) if key == SUM_KEY]
    if len(found) != 1 or found[0].end - found[0].begin != len(BLANK):
        raise ValueError(f"its {SUM_KEY} must be 64 characters, once; export it again")
    return found[0].begin, found[0].end


def sum_of(content: bytes, begin: int, end: int) -> str:
    """Return the sum of a file, in hex, with ``content[begin:end]``, its own sum, blanked."""
    blanked = hashlib.sha256(memoryview(content)[:begin])
    blanked.update(BLANK)
    blanked.update(memoryview(content)[end:])
    return blanked.hexdigest()


def decision_digest(content: bytes) -> str:
    """Return the SHA-256, in hex, over what decides in a model file: its graph and its contract.

    That is every field of the file but the metadata, in their order, each with its number, wire
    type and length, then the contract without its assessment. Golden pictures, the model seal, and
    texts that say something about the model leave it as it is: a proof travels in the file that it
    proves. Raises ValueError for what is no model file, ModelError for no contract.
    """
    total, contract = hashlib.sha256(), ""
    parts = _parts(content)
    for part in parts:
        if part.number != METADATA:
            body = memoryview(content)[part.begin : part.end]
            total.update(b"%d %d %d\n" % (part.number, part.wire, len(body)))
            total.update(body)
    for key, field in _metadata(content, parts):
        if key == METADATA_KEY:
            contract = content[field.begin : field.end].decode()
    deciding = dataclasses.replace(Contract.from_json(contract), assessed=None)
    total.update(f"contract\n{deciding.to_json()}".encode())
    return total.hexdigest()


def check_sum(content: bytes) -> None:
    """Check a file against the sum it carries. Raises ModelError or ValueError."""
    begin, end = find_sum(content)
    told, found = content[begin:end].decode("ascii", "replace"), sum_of(content, begin, end)
    if told != found:
        raise ModelError(
            f"damaged, or changed after it was sealed: its sum is {found[:16]}..., must be "
            f"{told[:16]}...; copy it again from where it was exported, or export it again"
        )


def _check_tensors(content: bytes, graph: Field) -> None:
    """Refuse tensors whose data lie outside the file. Raises ModelError or ValueError."""
    waiting = [("graph", graph, 0)]
    while waiting:
        kind, message, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise ModelError(f"its graph is nested deeper than {MOST_DEPTH}; export it again")
        holds = HOLDERS[kind]
        for part in fields(content, message.begin, message.end):
            if part.number in holds and part.wire == BYTES:
                waiting.append((holds[part.number], part, depth + 1))
            elif kind == "tensor" and (part.number == EXTERNAL_DATA or _is_elsewhere(part)):
                raise ModelError(
                    "keeps data outside the file, which no sum protects; export it again"
                )


def _is_elsewhere(part: Field) -> bool:
    return part.number == DATA_LOCATION and (part.wire != VARINT or part.value != 0)
