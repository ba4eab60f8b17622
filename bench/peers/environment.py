"""The peer's own environment: made once, from requirements.txt, beside nothing of ours."""

import sys
from hashlib import sha256
from pathlib import Path

from bench.command import run
from edge.files import write_atomic

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def make_environment(folder: Path) -> Path:
    """Make the environment in *folder*, unless it is there and current.

    Returns its Python. Raises InputError.

    The mark that it is ready is written last, so an interrupted one is made again.
    """
    python, ready = folder / "bin" / "python", folder / ".ready"
    wanted = sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making {folder}; downloads take most of it")
    run(
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        "the peer's environment",
        "install python3-venv",
    )
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        str(REQUIREMENTS),
    ]
    run(
        pip,
        "the peer's environment",
        "see pip's lines above; or name one you made with --peer-python",
    )
    write_atomic(ready, wanted.encode())
    return python
