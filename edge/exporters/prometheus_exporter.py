"""The exporter for Prometheus: counts the journal, renders the metrics, serves or writes them."""

import contextlib
import time
from pathlib import Path

from edge.clock import Stop
from edge.config import Config
from edge.errors import ConfigError, InputError
from edge.exporters.addresses import address_of
from edge.exporters.box_state import StateReader
from edge.exporters.counted_journal import CountedJournal
from edge.exporters.metrics_server import MetricsServer
from edge.exporters.prometheus import render
from edge.exporters.running import run
from edge.exporters.state_file import StateFile, state_path
from edge.files import write_atomic
from edge.printing import print_error

POLL_S = 1.0
"""Time between two looks at journal and status, seconds."""


class PrometheusExporter:
    """What is done at each look.

    *server*: serves the page, None for none; *textfile*: the file that is written each
    *textfile_s* seconds, None for none.

    Synchronization: one thread.
    """

    def __init__(
        self,
        counted: CountedJournal,
        states: StateReader,
        server: MetricsServer | None,
        textfile: Path | None,
        textfile_s: float,
    ) -> None:
        self._counted, self._states = counted, states
        self._server, self._textfile, self._textfile_s = server, textfile, textfile_s
        self._written_s: float | None = None
        self._told = ""

    def step(self) -> float:
        """Count what is new, and render it; return when to look again, in seconds."""
        began_s = time.monotonic()
        if self._counted.read():
            return time.monotonic() - began_s  # half of one core at most, until it has caught up
        if not self._counted.caught_up:
            return POLL_S
        totals = self._counted.totals
        text = render(totals, self._states.read(totals), self._counted.damaged)
        if self._server is not None:
            self._server.text = text
        if self._textfile is not None:
            self._write(self._textfile, text)
        return POLL_S

    def said(self) -> str:
        """Return how it stands, for systemd."""
        behind = self._counted.behind_bytes
        read = "all read" if self._counted.caught_up else f"{behind} bytes of the journal to read"
        return f"{self._counted.totals.items} items, {read}"

    def _write(self, path: Path, text: str) -> None:
        """Write the file when it is due; where it cannot be written, say so once and go on."""
        now_s = time.monotonic()
        if self._written_s is not None and now_s - self._written_s < self._textfile_s:
            return
        self._written_s = now_s
        try:
            write_atomic(path, text.encode())
            self._told = ""
        except InputError as error:
            if str(error) != self._told:
                self._told = str(error)
                print_error("stampgate-edge", f"warning: {error}")


def serve_prometheus(config: Config, stop: Stop | None = None) -> None:
    """Run the exporter until SIGTERM or SIGINT; *stop*: in their place. Raises StampgateError."""
    settings = config.prometheus
    if not settings.listen and not settings.textfile:
        raise ConfigError(
            "[prometheus] listen or textfile must say where the metrics go, such as "
            f'listen = "127.0.0.1:9464"; set one in {config.source or "the settings"}'
        )
    textfile = config.path(settings.textfile) if settings.textfile else None
    if textfile is not None and textfile.suffix != ".prom":
        raise ConfigError(
            f"[prometheus] textfile {textfile}: must end with .prom, or node_exporter passes it "
            "over; name it so"
        )
    journal = config.path(config.journal.file)
    status = config.path(config.journal.status) if config.journal.status else None
    state = StateFile(state_path(settings.state, config.folder, "prometheus"))
    with contextlib.ExitStack() as stack:
        server = None
        if settings.listen:
            server = MetricsServer(*address_of(settings.listen, "[prometheus] listen"))
            stack.enter_context(server)
        counted = stack.enter_context(CountedJournal(journal, state))
        exporter = PrometheusExporter(
            counted, StateReader(status, journal), server, textfile, settings.textfile_s
        )
        run(exporter.step, exporter.said, stop)
