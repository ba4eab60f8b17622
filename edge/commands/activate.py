"""``stampgate-edge activate``: verify a bundle, try it, and make it the current release."""

import argparse
import os
import time
from pathlib import Path

from edge.commands import add_config, config_of
from edge.config import Config
from edge.printing import print_line
from edge.record.status import is_running, read_status
from edge.releases.release import Release

POLL_S = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Verify a signed bundle, judge its golden frames on this computer, and make it the current "
        "release. The service that runs takes it between two items. Whatever is refused leaves the "
        "release before in service. Exit status 0 when it is current."
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="made by 'stampgate bundle'")
    add_config(parser)
    parser.add_argument(
        "--allow-downgrade",
        action="store_true",
        help="take a version older than one that was here before; the journal keeps that",
    )
    add_wait(parser)


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Add ``--wait``."""
    parser.add_argument(
        "--wait",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for the service to take it (%(default)g)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Activate the bundle. Raises BundleError, InputError, UsageError."""
    from edge.activation.activate import activate  # noqa: PLC0415 - it loads numpy

    config = config_of(arguments)
    os.umask(0o022)  # the service's user must be able to read what root makes
    done = activate(config, arguments.bundle, allow_downgrade=arguments.allow_downgrade)
    release = done.release
    if done.already:
        print_line(f"{release.id} is in service already, and whole")
        return 0
    print_line(f"{release.id} is current: signed by {release.signer}")
    print_line(f"proof: {release.proof or 'none: nobody has proven this model'}")
    print_line(f"trial: {done.trial}")
    for line in (f"time: {done.time}", *done.told):
        print_line(line)
    print_line(taken(config, release, arguments.wait))
    return 0


def taken(config: Config, release: Release, wait_s: float) -> str:
    """Wait until the service that runs has taken *release*; return in words what became of it."""
    if not config.model.bundle:
        return (
            '[model] bundle is not "current", so the service takes [model] file; set it, and '
            "restart the service"
        )
    path = config.path(config.journal.status) if config.journal.status else None
    until_s = time.monotonic() + wait_s
    while True:
        status = read_status(path)
        if status is None or not is_running(status):
            return "no service runs; it takes the release at its start"
        shown = status.get("release") or {}
        if shown.get("id") == release.id:
            return f"the service judges with it: {shown.get('state')}"
        if release.id in (trouble := str(status.get("trouble", ""))) and "given up" in trouble:
            return f"the service has given it up: {trouble}"
        if time.monotonic() >= until_s:
            return "the service has not taken it yet; see 'stampgate-edge status'"
        time.sleep(POLL_S)
