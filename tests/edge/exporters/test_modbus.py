import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread

import pytest
from pymodbus.client import ModbusTcpClient

from edge.clock import Stop
from edge.config import load_config
from edge.errors import ConfigError, InputError
from edge.exporters.box_state import BoxState
from edge.exporters.modbus_exporter import serve_modbus
from edge.exporters.packml import State
from edge.exporters.registers import TABLE, WORDS, registers_of
from edge.exporters.totals import Totals
from edge.sections.alarms import ALARM_CODES
from tests.edge.exporters.journals import write_items
from tests.edge.exporters.test_prometheus import free_port, write_status
from tests.paths import ROOT
from tests.programs import PATIENCE_S, eventually

PAGE = (ROOT / "docs" / "integration.md").read_text()


def values(words: Sequence[int]) -> dict[str, int]:
    """Return the values of registers by name, the high word first, as the page says."""
    return {
        register.name: sum(
            word << 16 * (register.words - 1 - n)
            for n, word in enumerate(words[register.address : register.address + register.words])
        )
        for register in TABLE
    }


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Settings of a server on a free port, and a journal of 20 items."""
    path = tmp_path / "edge.toml"
    path.write_text(
        '[journal]\nfile = "journal.jsonl"\nstatus = "status.json"\n'
        f'[modbus]\nlisten = "127.0.0.1:{free_port()}"\nunit = 7\n'
    )
    write_items(tmp_path / "journal.jsonl", 20)
    return path


@contextlib.contextmanager
def client(settings: Path) -> Iterator[ModbusTcpClient]:
    """Run the server beside the test, and ask it."""
    stop, config = Stop(), load_config(settings)
    thread = Thread(target=serve_modbus, args=(config, stop))
    thread.start()
    asking = ModbusTcpClient("127.0.0.1", port=int(config.modbus.listen.rpartition(":")[2]))
    try:
        eventually(asking.connect)
        eventually(lambda: not asking.read_holding_registers(0, count=1, device_id=7).isError())
        yield asking
    finally:
        asking.close()  # type: ignore[no-untyped-call]
        stop.request("the test is over")
        thread.join(PATIENCE_S)
        stop.close()


def test_a_plc_reads_the_counts_and_the_state(settings: Path) -> None:
    """By a real client, as holding and as input registers."""
    write_status(settings.parent / "status.json", gate={"trouble": "the bin is full"})
    with client(settings) as plc:
        held = plc.read_holding_registers(0, count=WORDS, device_id=7).registers
        found = values(held)
        assert (found["processed"], found["pass"], found["reject"], found["fault"]) == (20, 7, 7, 6)
        assert (found["last_item"], found["last_verdict"]) == (20, 2)
        assert (found["state"], found["flags"], found["temperature"]) == (State.HELD, 0b1101, 515)
        assert found["defective_share"] == 6500
        given = values(plc.read_input_registers(0, count=WORDS, device_id=7).registers)
        assert given | {"heartbeat": 0} == found | {"heartbeat": 0}
        write_items(settings.parent / "journal.jsonl", 3)

        def processed() -> int:
            at = next(register.address for register in TABLE if register.name == "processed")
            high, low = plc.read_input_registers(at, count=2, device_id=7).registers
            return int(high << 16 | low)

        assert eventually(lambda: processed() == 23)


def test_nothing_can_be_written(settings: Path) -> None:
    """Exception 1 for each function that would, and nothing has changed."""
    with client(settings) as plc:
        before = plc.read_input_registers(6, count=12, device_id=7).registers
        answers = [
            plc.write_register(6, 9, device_id=7),
            plc.write_register(6, 0, device_id=7),
            plc.write_registers(6, [1, 2], device_id=7),
            plc.write_coil(6, True, device_id=7),
            plc.write_coils(6, [True, False], device_id=7),
            plc.mask_write_register(address=6, and_mask=0, or_mask=0xFFFF, device_id=7),
            plc.readwrite_registers(
                read_address=6, read_count=1, write_address=6, values=[1], device_id=7
            ),
            plc.read_coils(0, count=1, device_id=7),
            plc.read_discrete_inputs(0, count=1, device_id=7),
        ]
        assert [answer.exception_code for answer in answers] == [1] * len(answers)
        beyond = plc.read_input_registers(WORDS - 1, count=2, device_id=7)
        assert beyond.exception_code == 2
        assert plc.read_input_registers(0, count=1, device_id=8).isError()
        assert plc.read_input_registers(6, count=12, device_id=7).registers == before


def test_the_page_has_the_registers_as_they_are() -> None:
    """Address, size, name and meaning, and no two share a register."""
    rows = re.findall(r"^\| (\d+) \| (\d+) bit \| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert [(int(a), int(b), name, meaning) for a, b, name, meaning in rows] == [
        (one.address, 16 * one.words, one.name, one.meaning) for one in TABLE
    ]
    assert [one.address for one in TABLE] == [
        sum(other.words for other in TABLE[:n]) for n in range(len(TABLE))
    ]


def test_counts_go_round_and_what_is_not_known_says_so() -> None:
    """Every value fits its registers, whatever the journal adds up to."""
    totals = Totals(sounding=[ALARM_CODES[0], ALARM_CODES[-1]])
    totals.verdicts.update({"pass": 2**32 + 5, "reject": 2**31})
    found = values(registers_of(BoxState(State.EXECUTE), totals, 70_000))
    assert (found["pass"], found["reject"], found["heartbeat"]) == (5, 2**31, 70_000 - 2**16)
    assert found["alarms"] == 1 | 1 << len(ALARM_CODES) - 1
    assert (found["temperature"], found["disk_free"], found["last_verdict"]) == (65535, 65535, 0)
    assert values(registers_of(BoxState(State.STOPPED), Totals(), 0))["defective_share"] == 65535


def test_settings_of_modbus_that_cannot_be_are_refused_in_one_line(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No address, no library, and a port that somebody has."""
    with client(settings), pytest.raises(InputError, match="cannot be listened on"):
        serve_modbus(load_config(settings), Stop())
    monkeypatch.setitem(sys.modules, "pymodbus.server", None)
    with pytest.raises(ConfigError, match=r"pip install 'stampgate\[modbus\]'"):
        serve_modbus(load_config(settings), Stop())
    settings.write_text("")
    with pytest.raises(ConfigError, match=r"\[modbus\] listen must say where"):
        serve_modbus(load_config(settings), Stop())
