"""``stampgate-edge models``: the releases that are kept here, and how each stands."""

import argparse
import json
from pathlib import Path
from typing import Any

from edge.commands import add_config, config_of
from edge.config import DEFAULT_MODEL, Config
from edge.errors import ConfigError
from edge.printing import print_line, printable
from edge.releases.active import active_id, is_given_up, service_state
from edge.releases.release import read_release
from edge.releases.state import ReleaseState
from edge.releases.store import Pointer, read_pointer, release_folders


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "List the releases that are kept here: state, who signed, what was proven. Exit status 0 "
        "when one that is whole is in service, else 1."
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object a release")
    parser.add_argument(
        "--actions", action="store_true", help="list what was done and refused, oldest first"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the list. Raises ConfigError when it may not be read."""
    config = config_of(arguments)
    pointer = read_pointer(config.path(config.model.releases))
    if arguments.actions:
        for action in pointer.actions:
            older = " (an older version, allowed)" if action.downgrade else ""
            head = f"{action.number:>4} {action.time} {action.by} {action.what} {action.release}"
            print_line(f"{head}{older}: {action.reason}")
        return 0
    listed = list(releases(config, pointer))
    for one in listed:
        for line in [json.dumps(one)] if arguments.json else _words(one):
            print_line(line)
    if not listed:
        print_line("no release is here; run 'stampgate-edge activate BUNDLE'")
    if not config.model.bundle:
        used = config.model_file()
        what = "the packaged model" if used == DEFAULT_MODEL else f"{used}, in no bundle"
        print_line(f'[model] bundle is not "current": the service takes {what}')
        return 0
    return int(not any(one["in_service"] and not one["trouble"] for one in listed))


def releases(config: Config, pointer: Pointer) -> list[dict[str, Any]]:
    """Return the releases of the store, oldest first, as JSON has them."""
    store, state = (
        config.path(config.model.releases),
        service_state(config.path(config.model.state)),
    )
    try:
        active = active_id(store, pointer, state)
    except ConfigError:
        active = ""
    found = []
    for folder in release_folders(store, pointer):
        one: dict[str, Any] = {
            "id": folder.name,
            "state": _state(folder, pointer, state),
            "in_service": folder.name == active,
            "trouble": "",
        }
        try:
            release = read_release(folder)
        except ConfigError as error:
            found.append(one | {"trouble": str(error)})
            continue
        about = release.as_object()
        found.append(one | {name: about[name] for name in about if name not in ("v", "files")})
    return found


def _state(folder: Path, pointer: Pointer, state: ReleaseState) -> str:
    if folder.name == pointer.current:
        if is_given_up(pointer, state):
            return f"given up: {state.why}"
        passed = state.activation == pointer.activation and state.result == "passed"
        return "current" if passed or not pointer.probation else "current, in probation"
    return "the one before" if folder.name == pointer.previous else "kept"


def _words(one: dict[str, Any]) -> list[str]:
    mark = "*" if one["in_service"] else " "
    lines = [f"{mark} {one['id']}  {one['state']}"]
    if one["trouble"]:
        return [*lines, f"    {one['trouble']}"]
    lines += [
        f"    signed by {one['signer']}, {one['created'][:10]}, expires {one['expires'][:10]}",
        f"    proof: {one['proof'] or 'none'}",
        f"    model {one['model_id'][:16]}..., file {one['model_sha256'][:16]}...",
    ]
    return [printable(line) for line in lines]
