"""``make fuzz``: each parser that reads from outside is given made-up input for a while."""

import argparse
import importlib
import sys
import traceback
from pathlib import Path

from tests.fuzz.fuzzing import Fuzzer

SECONDS = 60.0


def fuzzers() -> dict[str, Fuzzer]:
    """Return the fuzzers of this folder, by name."""
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    modules = [importlib.import_module(f"tests.fuzz.{file.stem}") for file in files]
    found = [module.FUZZER for module in modules if hasattr(module, "FUZZER")]
    return {fuzzer.name: fuzzer for fuzzer in found}


def main() -> int:
    """Run them one after the other; return 1 when one of them crashed its parser."""
    known = fuzzers()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="for each of them (%(default)g)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first inputs (%(default)d)")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(known)):
        parser.error(f"no fuzzer {', '.join(unknown)}; there are {', '.join(known)}")
    crashed = False
    print(f"{'parser':24}{'inputs':>12}{'seconds':>10}{'crashes':>10}", flush=True)
    for name in arguments.names or known:
        tried = known[name].long(arguments.seconds, arguments.seed)
        crashes = int(tried.crash is not None)
        print(f"{name:24}{tried.inputs:12}{tried.seconds:10.1f}{crashes:10}", flush=True)
        if tried.crash is not None:
            crashed = True
            traceback.print_exception(tried.crash, limit=-4)
    return int(crashed)


if __name__ == "__main__":
    sys.exit(main())
