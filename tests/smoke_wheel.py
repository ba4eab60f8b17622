"""Install the built wheel into an empty environment and use it there, as a box would.

Run `make smoke`. Standard library only, and no test for pytest: pytest imports the checkout, and
this is about the file that is handed to a box.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

DESKTOP_ONLY = {
    "cv2",
    "faster_coco_eval",
    "icrawler",
    "imagehash",
    "jinja2",
    "matplotlib",
    "onnx",
    "onnxscript",
    "scipy",
    "torch",
    "torchvision",
    "tqdm",
}
SHIPPED_SUFFIXES = {".py", ".toml", ".onnx", ".pt", ".jpg", ".json", ".html", ".css", ".js", ".svg"}
MODEL_BYTES_AT_MOST = 6_000_000

# Run inside the environment: import every module of the box, then name what must not be there.
IMPORT_ALL = """
import importlib, importlib.util, json, pkgutil, sys
import edge
for module in pkgutil.walk_packages(edge.__path__, "edge."):
    if not module.name.startswith("edge.review.web"):  # needs the extra "review"
        importlib.import_module(module.name)
print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name)]))
"""


def main() -> None:
    """Check the wheel named on the command line; the first failure is one line and status 1."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        raise SystemExit(f"smoke: name one wheel, not {sys.argv[1:]}; build it with: make wheel")
    wheel = Path(sys.argv[1]).resolve()
    check_members(wheel)
    with tempfile.TemporaryDirectory(prefix="stampgate-smoke-") as folder:
        bin_folder = install(wheel, Path(folder))
        check_lean(bin_folder)
        check_box_command(bin_folder, wheel.name.split("-")[1])
        check_desktop_command(bin_folder)
    say("the wheel works in an empty environment")


def say(line: str) -> None:
    """Print one line of the report at once."""
    print(f"smoke: {line}", flush=True)


def need(good: bool, sentence: str) -> None:
    """End with *sentence* and status 1 unless *good*."""
    if not good:
        raise SystemExit(f"smoke: {sentence}")


def check_members(wheel: Path) -> None:
    """The wheel holds the three rooms, one default model with sample frames, and nothing else."""
    members = [m for m in zipfile.ZipFile(wheel).infolist() if ".dist-info/" not in m.filename]
    strays = [
        m.filename for m in members if m.filename.split("/")[0] not in {"edge", "export", "train"}
    ]
    need(not strays, f"the wheel must hold only edge, export and train, not {strays}")
    strange = [m.filename for m in members if Path(m.filename).suffix not in SHIPPED_SUFFIXES]
    need(not strange, f"the wheel must hold only {sorted(SHIPPED_SUFFIXES)} files, not {strange}")
    models = [m for m in members if m.filename.endswith(".onnx")]
    names = [m.filename for m in models]
    need(len(models) == 1, f"the wheel must hold one model, in edge/default, not {names}")
    size = models[0].file_size
    need(
        size <= MODEL_BYTES_AT_MOST,
        f"{names[0]} must be at most {MODEL_BYTES_AT_MOST} bytes, not {size}",
    )
    whole = wheel.stat().st_size
    say(f"{wheel.name}: {len(members)} files, {whole / 1e6:.1f} MB, model {size / 1e6:.1f} MB")


def attempt(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run *command* outside the checkout, without the caller's Python settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        command, cwd=tempfile.gettempdir(), env=clean, capture_output=True, text=True, check=False
    )


def run(*command: str | Path) -> str:
    """Run *command* as :func:`attempt` does and return its stdout; it must succeed."""
    done = attempt(*command)
    words = " ".join(str(word) for word in command)
    need(
        done.returncode == 0,
        f"`{words}` must exit 0, not {done.returncode}:\n{done.stdout}{done.stderr}",
    )
    return done.stdout


def install(wheel: Path, folder: Path) -> Path:
    """Install *wheel* with the box's dependencies alone; return the folder of its commands."""
    venv.create(folder, with_pip=True)
    bin_folder = folder / "bin"
    before = size_of(folder)
    run(bin_folder / "python", "-m", "pip", "install", "--quiet", wheel)
    listed = run(bin_folder / "python", "-m", "pip", "list", "--format=freeze")
    came = [line for line in listed.split() if not line.startswith(("pip=", "setuptools="))]
    say("installed " + " ".join(came))
    now = size_of(folder)
    say(f"environment {now / 1e6:.0f} MB, of which {before / 1e6:.0f} MB were there before")
    return bin_folder


def size_of(folder: Path) -> int:
    """Bytes in all files under *folder*, links not followed."""
    return sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )


def check_lean(bin_folder: Path) -> None:
    """Every module of the box can be imported, though nothing of the desktop is there."""
    out = run(bin_folder / "python", "-c", IMPORT_ALL, *sorted(DESKTOP_ONLY))
    need(
        json.loads(out) == [],
        f"the box's environment must hold nothing of the desktop, not {out.strip()}",
    )
    say("every module of edge imports without torch and the rest of the desktop")


def check_box_command(bin_folder: Path, version: str) -> None:
    """`stampgate-edge` knows its version and judges a sample frame with the default model."""
    out = run(bin_folder / "stampgate-edge", "--version")
    need(version in out, f"stampgate-edge --version must say {version}, not {out.strip()}")
    [default] = bin_folder.parent.glob("lib/python*/site-packages/edge/default")
    [model], samples = list(default.rglob("*.onnx")), sorted(default.rglob("*.jpg"))
    need(bool(samples), "edge/default must hold sample frames, and holds none")
    out = run(bin_folder / "stampgate-edge", "inspect", model, samples[0], "--json")
    record = json.loads(out)
    need(
        record["verdict"] in {"pass", "reject"}, f"a sample frame must be judged, not {out.strip()}"
    )
    say(f"inspected {samples[0].name}: {record['verdict']}, {record['reason']}")


def check_desktop_command(bin_folder: Path) -> None:
    """`stampgate train` without its extra ends with one line that names the extra."""
    done = attempt(bin_folder / "stampgate", "train", "--mark", "seal.png", "--out", "run")
    lines = done.stderr.strip().splitlines()
    told = len(lines) == 1 and "stampgate[train]" in lines[0]
    need(
        done.returncode != 0 and told,
        f"stampgate train must name its missing extra, not say {done.stderr!r}",
    )
    say(f"without the extra: {lines[0]}")


if __name__ == "__main__":
    main()
