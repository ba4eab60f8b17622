"""The runner of both programs; what each command does is tested beside the command."""

import argparse
import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import edge.__main__
import export.__main__
from edge import command_line
from edge.command_line import Command, Program, make_parser
from edge.errors import GateError
from tests.paths import ROOT
from train.commands.configuration import NAMED
from train.config import FitSettings

BOX, DESKTOP = edge.__main__.PROGRAM, export.__main__.PROGRAM
COMMANDS = [(program, name) for program in (BOX, DESKTOP) for name in program.commands]
Deed = Callable[[argparse.Namespace], int]


def ends(deed: Deed, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a program whose one command is *deed*, and return its exit status."""
    module = ModuleType("only")
    module.__dict__.update(add_arguments=lambda _: None, run=deed)
    monkeypatch.setitem(sys.modules, "only", module)
    program = Program("stampgate-test", "A test.", {"act": Command("only", "act")})
    return command_line.main(program, ["act"])


def raising(error: BaseException) -> Deed:
    """Return a command that ends with *error*."""

    def deed(_: argparse.Namespace) -> int:
        raise error

    return deed


@pytest.mark.parametrize(("program", "name"), COMMANDS)
def test_a_command_is_the_module_of_its_name_with_two_functions(
    program: Program, name: str
) -> None:
    """So it is found; those of export stand in their rooms, which a main one gives its name."""
    room, _, module = program.commands[name].module.rpartition(".")
    main = module == "command" and room in ("export", "export.bundling")
    assert main or module == name.replace("-", "_")
    with pytest.raises(SystemExit, match="0"):
        command_line.main(program, [name, "--help"])


def test_the_table_names_every_module_of_commands() -> None:
    """A module that was forgotten in the table could not be called."""
    for program, folder, others in (
        (BOX, "edge/commands", set()),
        (DESKTOP, "train/commands", {"configuration", "marks_shown"}),
    ):
        there = {path.stem for path in (ROOT / folder).glob("[!_]*.py")} - others
        named = {
            name.replace("-", "_")
            for name, command in program.commands.items()
            if not command.module.startswith("export.")
        }
        assert named == there


def test_a_problem_of_the_users_is_one_line_and_its_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, and nothing on stdout."""
    assert ends(raising(GateError("the gate is lost; look there")), monkeypatch) == 75
    assert capsys.readouterr() == ("", "stampgate-test: the gate is lost; look there\n")


def test_ctrl_c_is_status_130_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a shell has it: 128 and the signal's number."""
    assert ends(raising(KeyboardInterrupt()), monkeypatch) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_fails_is_one_line(
    code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the file, where there is one, and the next step."""
    assert ends(raising(OSError(code, os.strerror(code), "out.png")), monkeypatch) == 1
    assert ends(raising(OSError(code, os.strerror(code))), monkeypatch) == 1
    said = f"{os.strerror(code)}; make room or permission there and try again\n"
    assert capsys.readouterr().err == (
        f"stampgate-test: out.png: {said}stampgate-test: disk: {said}"
    )


def test_an_error_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or nobody could find it."""
    with pytest.raises(FileNotFoundError):
        ends(raising(FileNotFoundError(errno.ENOENT, "No such file", "x")), monkeypatch)


@pytest.mark.parametrize(
    "command",
    [["edge", "config"], ["export", "crawl", "--from", "folder", "--out", "out"]],
    ids=["box", "desktop"],
)
def test_a_reader_that_leaves_early_is_status_141(command: list[str], tmp_path: Path) -> None:
    """As in ``stampgate-edge config | head -0``: the same for both programs."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.jpg").write_bytes(b"no picture")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    "words",
    [["config"], ["gate", "--config", "/none/edge.toml"], ["log", "/none/journal.jsonl"]],
    ids=lambda words: words[0],
)
def test_a_command_that_does_not_see_loads_no_picture_library(words: list[str]) -> None:
    """It answers at once on a small box, and the gate's process stays small.

    A log of the journal needs its sums.
    """
    large = ["onnxruntime", "numpy", "PIL", *([] if words[0] == "log" else ["hashlib"])]
    code = (
        f"import sys; from edge.__main__ import main; main({words!r})\n"
        f"print([n for n in {large} if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("key", NAMED)
def test_an_option_that_sets_a_key_says_what_the_settings_say_of_it(
    key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The field's sentence and its default, and the field's choices; nothing is written twice."""
    field = FitSettings.__dataclass_fields__[key]
    with pytest.raises(SystemExit, match="0"):
        command_line.main(DESKTOP, ["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    shown = f"{field.default:g}" if isinstance(field.default, float) else field.default
    default = "" if field.default is False else f" (default {shown})"
    assert f"{field.metadata['sentence']}{default}" in said
    given = make_parser(DESKTOP, ["train"]).parse_args(["train", "--out", "run"])
    assert getattr(given, key) is None
