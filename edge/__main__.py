"""The box's command: ``stampgate-edge inspect | run | gate | demo | config | check | status | log |
verify-log``.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from edge import __version__
from edge.commands import add_commands
from edge.config import DEFAULT_MODEL, DEFAULT_NAME, sample
from edge.errors import StampgateError
from edge.wiring import load_checked


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; a problem that the user can act on is one
    line on stderr.
    """
    asked = sys.argv[1:] if argv is None else argv
    arguments = _parser(asked).parse_args(asked)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except StampgateError as error:
        print(f"stampgate-edge: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output (head, less) has left. Python flushes stdout once more at exit:
        # give it a sink.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    return status


def _parser(asked: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stampgate-edge",
        description="Find a mark on each product at the line and reject the products without it.",
    )
    parser.add_argument("--version", action="version", version=f"stampgate-edge {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_inspect(commands)
    run = commands.add_parser(
        "run", help="run the service", description="Run the service until SIGTERM or SIGINT."
    )
    run.add_argument(
        "--config", type=Path, required=True, metavar="EDGE.TOML", help="the settings file"
    )
    run.set_defaults(run=_run)
    gate = commands.add_parser(
        "gate",
        help="run the gate, a process of its own",
        description="Run the gate until SIGTERM or SIGINT: it owns the photo-eye and the reject line, and rejects what "
        "'stampgate-edge run' does not tell it to let pass. Start it first.",
    )
    gate.add_argument(
        "--config", type=Path, required=True, metavar="EDGE.TOML", help="the settings file of both"
    )
    gate.set_defaults(run=_gate)
    config = commands.add_parser(
        "config", help="print a commented settings file with every key at its default"
    )
    config.set_defaults(run=_config)
    demo = commands.add_parser(
        "demo", help="run the service on the packaged sample pictures and show what it did"
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("stampgate-demo"),
        metavar="DIR",
        help="default: %(default)s",
    )
    demo.set_defaults(run=_demo)
    add_commands(commands, asked)
    return parser


def _add_inspect(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "inspect",
        help="judge picture files, one line each",
        description="Judge picture files, one line each. Boxes are corners x0, y0, x1, y1 in the picture's own pixels, "
        "x right, y down, as the picture is seen (EXIF orientation applied). A file that is no picture is a fault; the "
        "others go on and the exit status is 1. A reject is an answer, not an error: the exit status stays 0.",
    )
    parser.add_argument(
        "model", metavar="MODEL.onnx", help=f"model file, or '{DEFAULT_NAME}' for the packaged one"
    )
    parser.add_argument(
        "images", nargs="+", type=Path, metavar="IMAGE|DIR", help="pictures, or folders of them"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument(
        "--min-score",
        type=_score,
        metavar="S",
        help="use S (0..1) in place of the model's own threshold, for what is listed and for the verdict alike",
    )
    parser.add_argument(
        "--require",
        action="append",
        default=[],
        metavar="NAME",
        help="a class that must be found to pass; may be repeated; default: every class of the model",
    )
    parser.add_argument(
        "--annotate", type=Path, metavar="DIR", help="write copies with the boxes drawn to DIR"
    )
    parser.set_defaults(run=_inspect)


def _score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0.0 <= score <= 1.0:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, not {text!r}")
    return score


# onnxruntime and Pillow take a second to load on a small box; the commands that do not see need not
# wait for them.


def _inspect(arguments: argparse.Namespace) -> int:
    from edge.commands.inspection import inspect  # noqa: PLC0415

    model = DEFAULT_MODEL if arguments.model == DEFAULT_NAME else Path(arguments.model)
    return inspect(
        model,
        arguments.images,
        as_json=arguments.json,
        min_score=arguments.min_score,
        require=tuple(arguments.require),
        annotate_to=arguments.annotate,
    )


def _run(arguments: argparse.Namespace) -> int:
    from edge.memory import begin_small  # noqa: PLC0415

    begin_small()
    from edge.service import serve  # noqa: PLC0415

    serve(load_checked(arguments.config))
    return 0


def _gate(arguments: argparse.Namespace) -> int:
    from edge.gate.process import serve_gate  # noqa: PLC0415

    serve_gate(load_checked(arguments.config))
    return 0


def _config(_: argparse.Namespace) -> int:
    print(sample(), end="")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    from edge.commands.demo import demo  # noqa: PLC0415

    demo(arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
