"""The exporter for PLCs: a Modbus/TCP server, on pymodbus, whose registers can only be read."""

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from edge.clock import Stop
from edge.config import Config
from edge.errors import ConfigError, InputError
from edge.exporters.addresses import address_of
from edge.exporters.box_state import StateReader
from edge.exporters.counted_journal import CountedJournal
from edge.exporters.registers import WORDS, registers_of
from edge.exporters.running import give_way
from edge.exporters.state_file import StateFile, state_path
from edge.process.notify import Notifier
from edge.process.stopping import stop_on_signals

if TYPE_CHECKING:
    from pymodbus.constants import ExcCodes
    from pymodbus.server import ModbusTcpServer

POLL_S = 0.25
"""Time between two looks at journal and status, seconds."""
READING = (3, 4)
"""Function codes that are answered: read holding registers, read input registers."""


class Registers:
    """The registers as they stand; none until the journal has been read.

    Synchronization: one thread.
    """

    def __init__(self, counted: CountedJournal, states: StateReader) -> None:
        self._counted, self._states = counted, states
        self._began_s = time.monotonic()
        self.words: list[int] = []

    def step(self) -> float:
        """Count what is new; return when to look again, in seconds."""
        began_s = time.monotonic()
        if self._counted.read():
            return time.monotonic() - began_s
        if self._counted.caught_up:
            totals = self._counted.totals
            heartbeat = int(began_s - self._began_s)
            self.words = registers_of(self._states.read(totals), totals, heartbeat)
        return POLL_S

    async def answer(
        self,
        function: int,
        _start: int,
        address: int,
        count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> "ExcCodes | None":
        """Put the present values into *registers*; whatever would write is refused."""
        if written is not None or function not in READING:
            return exception_codes().ILLEGAL_FUNCTION
        if not self.words:
            return exception_codes().DEVICE_BUSY
        registers[address : address + count] = self.words[address : address + count]
        return None


def exception_codes() -> "type[ExcCodes]":
    """Return the exception codes of Modbus, by pymodbus."""
    from pymodbus.constants import ExcCodes  # noqa: PLC0415 - an extra

    return ExcCodes


def new_server(registers: Registers, host: str, port: int, unit: int) -> "ModbusTcpServer":
    """Make the server, which does not listen yet. Raises ConfigError without pymodbus."""
    try:
        from pymodbus.server import ModbusTcpServer  # noqa: PLC0415 - an extra
        from pymodbus.simulator import DataType, SimData, SimDevice  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            "the exporter for Modbus needs pymodbus, which is not installed; install the extra: "
            "pip install 'stampgate[modbus]'"
        ) from None
    data = SimData(0, count=WORDS, values=0, datatype=DataType.REGISTERS)
    return ModbusTcpServer(SimDevice(unit, [data], action=registers.answer), address=(host, port))


async def serve(registers: Registers, host: str, port: int, unit: int, stop: Stop) -> None:
    """Answer until the end is asked for.

    Raises ConfigError without pymodbus, InputError when it cannot be listened on.
    """
    server = new_server(registers, host, port, unit)
    with Notifier() as notifier:
        try:
            await server.serve_forever(background=True)
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"[modbus] listen {host} port {port}: cannot be listened on ({error}); name "
                "another, or stop the program that has it"
            ) from None
        notifier.ready("answering")
        try:
            while not stop.reason:
                await asyncio.sleep(registers.step())
                notifier.alive("answering")
        finally:
            await server.shutdown()  # type: ignore[no-untyped-call] # as the library has it
        notifier.stopping(stop.reason)


def serve_modbus(config: Config, stop: Stop | None = None) -> None:
    """Run the exporter until SIGTERM or SIGINT; *stop*: in their place. Raises StampgateError."""
    settings = config.modbus
    if not settings.listen:
        raise ConfigError(
            "[modbus] listen must say where PLCs ask, such as 192.168.0.5:502; set it in "
            f"{config.source or 'the settings'}"
        )
    host, port = address_of(settings.listen, "[modbus] listen")
    journal = config.path(config.journal.file)
    status = config.path(config.journal.status) if config.journal.status else None
    state = StateFile(state_path(settings.state, config.folder, "modbus"))
    give_way()
    with (
        contextlib.nullcontext(stop) if stop is not None else stop_on_signals() as ending,
        CountedJournal(journal, state) as counted,
    ):
        registers = Registers(counted, StateReader(status, journal))
        asyncio.run(serve(registers, host, port, settings.unit, ending))
