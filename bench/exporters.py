"""Measure what each exporter costs the box: memory, processor time, and whether an item is lost.

Run from the project's root: ``python -m bench.exporters``. Each exporter is the real process, over
a journal that the box's own writer extends; the broker is the real mosquitto, killed for ten
minutes of the line (an item each 0.4 s) and started again; a Modbus client and a scrape read the
counts.
Exit status 1 when an item is not told once, or a count is another than the journal's.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pymodbus.client import ModbusTcpClient

from bench.command import answer
from edge.exporters.registers import WORDS
from edge.printing import print_line
from tests.edge.exporters.journals import KINDS, write_items
from tests.edge.exporters.test_modbus import values
from tests.edge.exporters.test_mqtt import Host, mosquitto
from tests.edge.exporters.test_prometheus import free_port
from tests.programs import Program, eventually

PERIOD_S = 0.4
OUTAGE_ITEMS = 1500
"""Ten minutes of the line."""
PIECE = 500
SETTINGS = """\
[journal]
file = "journal.jsonl"
status = ""
[prometheus]
listen = "127.0.0.1:{prometheus}"
state = "prometheus.json"
[mqtt]
broker = "127.0.0.1:{mqtt}"
tls = false
group = "plant"
node = "box"
state = "mqtt.json"
retry_s = 1.0
[modbus]
listen = "127.0.0.1:{modbus}"
state = "modbus.json"
"""
TICKS = os.sysconf("SC_CLK_TCK")


class Costs:
    """An exporter's process, and what it has cost so far."""

    def __init__(self, kind: str, program: Program) -> None:
        self.kind, self.program = kind, program

    @property
    def cpu_s(self) -> float:
        """Processor time that it has used, seconds."""
        fields = Path(f"/proc/{self.program.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def peak_mb(self) -> float:
        """The most memory that it had resident, MB."""
        status = Path(f"/proc/{self.program.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1000


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.exporters", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("--items", type=int, default=10_000, metavar="N", help="default: %(default)s")
    add("--rest", type=float, default=30.0, metavar="S", help="without an item (%(default)s)")
    return parser


@contextlib.contextmanager
def exporters(config: Path) -> Iterator[tuple[Costs, ...]]:
    """Run all three."""
    with contextlib.ExitStack() as stack:
        yield tuple(
            Costs(kind, stack.enter_context(Program(
                sys.executable, "-m", "edge", "exporter", kind, "--config", config
            )))
            for kind in ("prometheus", "mqtt", "modbus")
        )  # fmt: skip


def spent(costs: Sequence[Costs], work: Callable[[], object]) -> dict[str, float]:
    """Return the processor time that each exporter used while *work* went on, seconds."""
    before = {one.kind: one.cpu_s for one in costs}
    work()
    return {one.kind: one.cpu_s - before[one.kind] for one in costs}


def work(items: int, rest_s: float) -> int:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory() as made:
        folder, ports = Path(made), {name: free_port() for name in ("prometheus", "mqtt", "modbus")}
        config, journal = folder / "edge.toml", folder / "journal.jsonl"
        config.write_text(SETTINGS.format(**ports))
        write_items(journal, PIECE)
        told = PIECE
        with exporters(config) as costs:
            with mosquitto(folder, ports["mqtt"]) as broker:
                host = Host(ports["mqtt"])
                eventually(lambda: len(host.items()) == told)
                eventually(lambda: counts_by_scrape(ports["prometheus"]))
                resting = spent(costs, lambda: time.sleep(rest_s))
                busy = spent(costs, lambda: run_line(journal, items, host, told, ports))
                told += items
                broker.kill()
            run_dry(journal, OUTAGE_ITEMS)
            begun = time.monotonic()
            with mosquitto(folder, ports["mqtt"]):
                told += OUTAGE_ITEMS
                eventually(lambda: len(host.items()) == told)
                caught_up_s = time.monotonic() - begun
                numbers = sorted(host.items().values())
                wrong = check(numbers, told, ports)
                print_table(costs, resting, busy, items, rest_s)
                host.close()
        print_line(
            f"broker gone for {OUTAGE_ITEMS} items ({OUTAGE_ITEMS * PERIOD_S / 60:.0f} minutes of "
            f"the line): all told {caught_up_s:.1f} s after it was back; {told} items, "
            f"{len(set(numbers))} numbers, in order: {numbers == list(range(1, told + 1))}"
        )
    return wrong


def run_line(journal: Path, items: int, host: Host, told: int, ports: dict[str, int]) -> None:
    """Write items, in pieces, while all are told and a scrape comes each piece."""
    for number in range(items // PIECE):
        write_items(journal, PIECE)
        counts_by_scrape(ports["prometheus"])
        eventually(lambda n=number: len(host.items()) == told + (n + 1) * PIECE)  # type: ignore[misc]


def run_dry(journal: Path, items: int) -> None:
    """Write items while nobody hears of them."""
    for _ in range(items // PIECE):
        write_items(journal, PIECE)


def counts_by_scrape(port: int) -> dict[str, int] | None:
    """Return the counts of verdicts that a scrape gives; None until there is a page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as page:
            lines = page.read().decode().splitlines()
    except OSError:
        return None
    found = {
        kind: sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith("stampgate_items_total") and f'verdict="{kind}"' in line
        )
        for kind in KINDS
    }
    return {kind: int(number) for kind, number in found.items()}


def counts_by_modbus(port: int, told: int) -> dict[str, int]:
    """Return the registers that a PLC's client reads, once they count *told* items."""
    asking = ModbusTcpClient("127.0.0.1", port=port, timeout=60)

    def read() -> dict[str, int] | None:
        answered = asking.read_holding_registers(0, count=WORDS, device_id=1)
        found = {} if answered.isError() else values(answered.registers)
        return found if found.get("processed") == told else None

    try:
        eventually(asking.connect)
        return eventually(read)
    finally:
        asking.close()  # type: ignore[no-untyped-call]


def check(numbers: list[int], told: int, ports: dict[str, int]) -> int:
    """Compare what each reader was told with the journal; return 1 for a difference."""
    pieces = told // PIECE
    right = {kind: pieces * len(range(at, PIECE, 3)) for at, kind in enumerate(KINDS)}
    eventually(lambda: sum((counts_by_scrape(ports["prometheus"]) or {}).values()) == told)
    scraped, registers = (
        counts_by_scrape(ports["prometheus"]),
        counts_by_modbus(ports["modbus"], told),
    )
    once = numbers == list(range(1, told + 1))
    print_line(f"the journal's counts: {right}; a scrape: {scraped}")
    print_line(f"a Modbus client: {registers}")
    return 0 if once and scraped == right else 1


def print_table(
    costs: Sequence[Costs],
    resting: dict[str, float],
    busy: dict[str, float],
    items: int,
    rest_s: float,
) -> None:
    """Print memory and processor time of each."""
    print_line(
        f"{'exporter':12}{'MB at most':>12}{'s of a core a 10,000 items':>30}{'an hour':>12}"
    )
    for one in costs:
        hour = resting[one.kind] * 3600 / rest_s
        per = busy[one.kind] * 10_000 / items
        print_line(f"{one.kind:12}{one.peak_mb:12.1f}{per:22.2f}{hour:12.1f}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; 0 when each item was told once."""
    arguments = parser().parse_args(argv)
    return answer("bench.exporters", lambda: work(arguments.items, arguments.rest))


if __name__ == "__main__":
    sys.exit(main())
