"""``stampgate-edge review``: the review page, its users, its index and its audit log."""

import argparse
import getpass
import importlib.util
import sys
import time
from pathlib import Path

from edge.commands import add_config, config_of
from edge.config import Config
from edge.errors import UsageError
from edge.printing import print_line
from edge.review.audit import AuditLog
from edge.review.people import ROLES, Person, Users
from edge.review.store import INDEX, USERS, ReviewStore
from edge.shadow.statements import user

LIBRARIES = ("jinja2", "starlette", "uvicorn")
"""Packages that the page needs, of the extra ``review``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command, what else it does, and their options."""
    parser.description = (
        "Serve the review page until Ctrl-C: a shift in counts, every item with its picture, the "
        "queue of items to judge, the challenge test, the audit log. It reads journal and pictures "
        "and changes neither. Users are made here: review user add NAME --role ROLE, which asks "
        "for a password, or reads it from standard input."
    )
    add_config(parser)
    kinds = parser.add_subparsers(dest="what", metavar="WHAT", title="instead of the page")
    _add_user(kinds.add_parser("user", help="add, remove or list users"))
    index = kinds.add_parser("index", help="make or follow the index, and say how long it took")
    index.add_argument("--rebuild", action="store_true", help="make it anew from the first line on")
    index.set_defaults(review=_index)
    audit = kinds.add_parser("audit", help="export the audit log, or restore it from an export")
    audit.add_argument("action", choices=("export", "restore"), metavar="export|restore")
    audit.add_argument("file", type=Path, metavar="FILE", help="the export")
    audit.add_argument("--csv", action="store_true", help="export: for a spreadsheet")
    audit.set_defaults(review=_audit)
    parser.set_defaults(review=_serve)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked. Raises StampgateError."""
    status: int = arguments.review(config_of(arguments), arguments)
    return status


def _add_user(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=("add", "remove", "passwd", "role", "list"),
        metavar="add|remove|passwd|role|list",
    )
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="small letters")
    parser.add_argument("--role", choices=ROLES, help="add, role: " + ", ".join(ROLES))
    parser.add_argument("--full-name", default="", metavar="TEXT", help="add: as it is signed")
    parser.set_defaults(review=_user)


def _serve(config: Config, arguments: argparse.Namespace) -> int:
    if missing := [name for name in LIBRARIES if importlib.util.find_spec(name) is None]:
        raise UsageError(
            f"the review page needs {', '.join(missing)}; install them beside stampgate: "
            "pip install 'stampgate[review]'"
        )
    from edge.review.web.serving import serve  # noqa: PLC0415 - of an extra

    return serve(config, arguments)


def _user(config: Config, arguments: argparse.Namespace) -> int:
    """Change or list the users; each change stands in the audit log."""
    folder = config.path(config.review.folder)
    with ReviewStore(config) as store:
        users, audit = store.users, store.audit
        if arguments.action == "list":
            for known in users.all():
                print_line(f"{known.name:<32} {known.role:<10} {known.full_name}".rstrip())
            return 0
        if not arguments.name:
            raise UsageError(f"review user {arguments.action} needs a NAME")
        words = _change(users, arguments)
        audit.note("user", _operator(), name=arguments.name, change=words)
    print_line(f"{arguments.name}: {words} ({folder / USERS})")
    return 0


def _change(users: Users, arguments: argparse.Namespace) -> str:
    """Change one user, and return what was done. Raises UsageError, InputError."""
    name, role = arguments.name, arguments.role
    if arguments.action in ("add", "role") and role is None:
        raise UsageError(f"review user {arguments.action} needs --role, one of {', '.join(ROLES)}")
    if arguments.action == "add":
        users.add(name, role, _password(name), arguments.full_name)
        return f"added as {role}"
    if arguments.action == "remove":
        users.remove(name)
        return "removed; the sessions have ended"
    if arguments.action == "role":
        users.set_role(name, role)
        return f"is {role} now; the sessions have ended"
    users.set_password(name, _password(name))
    return "has a new password; the sessions have ended"


def _password(name: str) -> str:
    """Ask twice at a terminal, or read one line of standard input. Raises UsageError."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(f"password of {name}: ")
    if getpass.getpass("once more: ") != first:
        raise UsageError("the two passwords differ; nothing was changed")
    return first


def _index(config: Config, arguments: argparse.Namespace) -> int:
    with ReviewStore(config) as store:
        begin = time.monotonic()
        if arguments.rebuild:
            store.index.rebuild()
        else:
            store.index.catch_up()
        seconds, state = time.monotonic() - begin, store.index.state()
    size = (config.path(config.review.folder) / INDEX).stat().st_size / 1e6
    print_line(f"{state.items} items, {seconds:.1f} s, {size:.1f} MB")
    for trouble in state.troubles:
        print_line(f"journal: {trouble.words}")
    return 1 if state.troubles else 0


def _audit(config: Config, arguments: argparse.Namespace) -> int:
    log, file = AuditLog(config.path(config.review.folder)), arguments.file
    if arguments.action == "export":
        records = log.export(file, as_csv=arguments.csv)
        log.note("export", _operator(), file=file.name, records=records)
        print_line(f"{records} records: {file}")
        return 0
    records = log.restore(file)
    log.note("restored", _operator(), file=file.name, records=records)
    print_line(f"{records} records were restored from {file}")
    return 0


def _operator() -> Person:
    """Return who is at the box's own terminal."""
    return Person(user(), "terminal")
