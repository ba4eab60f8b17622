"""What the product writes goes by one rule (edge.files.check_ours), or has its reason here."""

import ast
from pathlib import Path

from tests.house.sources import CODE, relative

PRODUCT = [path for path in CODE if relative(path).split("/")[0] in ("edge", "train", "export")]
NEW = "a new file: O_EXCL follows no link and opens no FIFO"
OWN = "a temporary name that atomic_replace has made, or that was removed just before"
ALLOWED = {
    "edge/files.py": "the rule itself",
    "edge/activation/fetch.py": "the store's incoming bundles: O_NOFOLLOW, in root's folder",
    "edge/bundles/reading.py": NEW,
    "edge/camera/videodev.py": "a camera's device, which is no file to write",
    "edge/command_line.py": "/dev/null, when nobody reads on",
    "edge/commands/seal_setup.py": NEW,
    "edge/gate/history.py": "after check_ours",
    "edge/gate/process.py": "the gate's lock: a regular file of its user, or replaced",
    "edge/imaging/reference_file.py": OWN,
    "edge/record/evidence.py": NEW,
    "edge/record/journal_file.py": "open_ours; the next file is a new one",
    "edge/record/seal.py": NEW,
    "edge/record/status.py": "open_ours",
    "edge/releases/store.py": "the store's lock: O_NOFOLLOW, and nothing is written into it",
    "edge/review/audit.py": OWN,
    "edge/review/people.py": f"open_ours; {OWN}",
    "edge/review/store.py": "open_ours",
    "export/bundling/signing.py": NEW,
    "export/bundling/writing.py": OWN,
    "export/to_onnx.py": OWN,
    "train/network/checkpoint.py": OWN,
    "train/paint/painted_set.py": f"open_ours; {OWN}",
}
"""Files that open something to write, and how each keeps the rule."""


def writes(path: Path) -> set[str]:
    """Return the calls of a file that open something to write, as they stand there."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        modes = [a.value for a in node.args if isinstance(a, ast.Constant) and a.value]
        opens = name.endswith((".open", "open")) and any(str(m)[0] in "wax" for m in modes)
        raw = name == "os.open" and any(
            flag in ast.unparse(node) for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "OPEN", "flags")
        )
        if name.endswith((".write_text", ".write_bytes")) or opens or raw:
            found.add(ast.unparse(node)[:70])
    return found


def test_whoever_writes_keeps_the_one_rule() -> None:
    """A new place to write says here how, or takes write_atomic or open_ours."""
    assert {relative(path) for path in PRODUCT if writes(path)} == set(ALLOWED)
