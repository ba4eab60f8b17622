"""``stampgate`` with few pictures wherever a run paints many: the program, for tests of signals."""

import sys

import pytest

from export.__main__ import main
from tests.quick_run import paint_few

if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as monkeypatch:
        paint_few(monkeypatch)
        sys.exit(main(sys.argv[1:]))
