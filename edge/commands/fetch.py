"""``stampgate-edge fetch``: fetch the newest bundle that a signed index lists."""

import argparse
import os

from edge.commands import add_config, config_of
from edge.commands.activate import add_wait, taken
from edge.printing import print_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Fetch the newest bundle from a web server or a folder that holds a signed index "
        "('stampgate bundle index'). Exit status 0 too when there is nothing newer."
    )
    parser.add_argument(
        "source",
        nargs="?",
        default="",
        metavar="URL|FOLDER",
        help="default: that of [model] fetch_from",
    )
    add_config(parser)
    parser.add_argument(
        "--name", default="", metavar="NAME", help="of the bundles; default: that in service"
    )
    parser.add_argument(
        "--activate",
        action="store_true",
        help="activate it at once, as [model] fetch_activates does",
    )
    add_wait(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fetch, and activate if asked. Raises BundleError, InputError, UsageError."""
    from edge.activation.activate import activate  # noqa: PLC0415 - it loads numpy
    from edge.activation.fetch import fetch  # noqa: PLC0415

    config = config_of(arguments)
    os.umask(0o022)  # the service's user must be able to read what root makes
    fetched = fetch(config, arguments.source, arguments.name)
    assert fetched.listed is not None
    if fetched.path is None:
        name, version = fetched.listed.name, fetched.listed.version
        print_line(f"nothing newer: {name} {version} is listed, {fetched.newest} was here")
        return 0
    print_line(f"fetched {fetched.path}")
    if not (arguments.activate or config.model.fetch_activates):
        print_line(f"activate it with: stampgate-edge activate {fetched.path}")
        return 0
    release = activate(config, fetched.path).release
    print_line(f"{release.id} is current: signed by {release.signer}")
    print_line(taken(config, release, arguments.wait))
    return 0
