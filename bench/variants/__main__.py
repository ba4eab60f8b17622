"""Measure a variant: ``python -m bench.variants stamps --data DIR``.

Each trains what it needs, once: its models are kept under ``--out``. It judges a folder laid out as
the variant's module says and prints a table.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.command import answer

VARIANTS = {"prices": "bench.variants.prices", "stamps": "bench.variants.stamps"}
"""The module of each variant: ``add_arguments`` describes its options, ``run`` measures."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    whole = argparse.ArgumentParser(prog="python -m bench.variants", description=__doc__)
    variants = whole.add_subparsers(dest="variant", required=True, metavar="VARIANT")
    for name, module in VARIANTS.items():
        one = importlib.import_module(module)
        said = one.__doc__ or ""
        part = variants.add_parser(name, description=said, help=said.partition("\n")[0])
        part.add_argument("--data", required=True, type=Path, metavar="DIR", help="what is judged")
        part.add_argument("--out", type=Path, default=Path("build/variants"), metavar="DIR")
        one.add_arguments(part)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a variant and return the exit status."""
    given = parser().parse_args(arguments)
    variant = importlib.import_module(VARIANTS[given.variant])
    return answer("bench.variants", lambda: int(variant.run(given)))


if __name__ == "__main__":
    sys.exit(main())
