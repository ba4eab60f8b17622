"""Fetching: what a server that nobody trusts may do, and what is fetched at last."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="signatures are verified by the library cryptography")

from edge.__main__ import main
from edge.activation.fetch import fetch
from edge.activation.known_time import KnownTime
from edge.bundles.index import INDEX_NAME, PAYLOAD_TYPE, Index, Listed
from edge.config import Config, load_config
from edge.errors import BundleError, InputError, UsageError
from edge.releases.store import read_pointer
from export.bundling.signing import sign
from tests.release_store import make_current, make_release
from tests.tiny_bundle import CREATED, EXPIRES, key, trust, write_tiny_bundle

SETTINGS = """\
[model]
bundle = "current"
releases = "releases"
keys = "keys"
state = "release.json"
fetch_from = "server"
[journal]
file = "journal.jsonl"
status = ""
"""
NOW = KnownTime(CREATED + timedelta(days=1), "the clock", synced=True)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A box that trusts the desk's key, and a folder with two versions and their index."""
    trust(tmp_path / "keys")
    (tmp_path / "edge.toml").write_text(SETTINGS)
    (tmp_path / "server").mkdir()
    publish(tmp_path / "server", 1, 2)
    return load_config(tmp_path / "edge.toml")


def publish(folder: Path, *versions: int, index: int = 5, signer: str = "desk") -> None:
    """Put bundles of those versions into *folder*, with a signed index."""
    listed = []
    for version in versions:
        path = write_tiny_bundle(folder / f"tiny-{version}.bundle", version=version)
        content = path.read_bytes()
        total = hashlib.sha256(content).hexdigest()
        listed.append(Listed(path.name, "tiny", version, len(content), total))
    payload = Index(index, CREATED, EXPIRES, tuple(listed)).to_json().encode()
    envelope = sign(payload, key(signer), PAYLOAD_TYPE)
    (folder / INDEX_NAME).write_text(envelope.to_json())


class Server:
    """A plain web server of a folder, on this computer; *ranges*: whether it gives parts."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[tuple[str, str]] = []
        self.ranges, self.cut = True, 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range", "")
                server.asked.append((self.path, wanted))
                content = (folder / self.path.strip("/")).read_bytes()
                begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
                partial = bool(begin) and server.ranges
                part = content[begin:] if partial else content
                self.send_response(206 if partial else 200)
                self.send_header("Content-Length", str(len(part)))
                self.end_headers()
                is_bundle = self.path.endswith(".bundle")
                self.wfile.write(part[: server.cut] if server.cut and is_bundle else part)

            def log_message(self, *_words: Any) -> None:
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server(config: Config) -> Iterator[Server]:
    """The folder, on a web server."""
    made = Server(config.folder / "server")
    yield made
    made.close()


def test_the_newest_bundle_of_a_folder_is_brought_into_the_store(config: Config) -> None:
    """Whole; a second time nothing is copied, and behind its activation nothing is newer."""
    fetched = fetch(config, time_known=NOW)
    assert fetched.path == config.folder / "releases" / "incoming" / "tiny-2.bundle"
    assert fetched.path.read_bytes() == (config.folder / "server/tiny-2.bundle").read_bytes()
    assert fetch(config, time_known=NOW).path == fetched.path
    publish(config.folder / "server", 1, 2, 3, index=6)
    newer = fetch(config, time_known=NOW)
    assert newer.path is not None
    assert [path.name for path in newer.path.parent.iterdir()] == ["tiny-3.bundle"]
    assert read_pointer(config.folder / "releases").index == 6


def test_an_index_that_is_refused_is_remembered(config: Config) -> None:
    """A stranger's, an older one, one that expired: nothing is fetched."""
    server = config.folder / "server"
    fetch(config, time_known=NOW)
    publish(server, 9, index=4)
    with pytest.raises(BundleError, match="is older than version 5"):
        fetch(config, time_known=NOW)
    publish(server, 9, index=7, signer="stranger")
    with pytest.raises(BundleError, match="refused: it is signed with the key"):
        fetch(config, time_known=NOW)
    publish(server, 9, index=7)
    with pytest.raises(BundleError, match="the index expired"):
        fetch(config, time_known=KnownTime(EXPIRES, "the clock", synced=True))
    pointer = read_pointer(config.folder / "releases")
    assert [(action.what, action.release) for action in pointer.actions] == [
        ("refused", INDEX_NAME)
    ] * 3
    assert pointer.index == 5


def test_a_bundle_that_is_not_the_listed_one_is_not_kept(config: Config) -> None:
    """Other bytes, fewer, more: refused, and fetched anew the next time."""
    path = config.folder / "server" / "tiny-2.bundle"
    whole = path.read_bytes()
    for content in (whole[:-1] + b"x", whole[:100], whole + b"more"):
        path.write_bytes(content)
        with pytest.raises(BundleError, match="is not what the index lists"):
            fetch(config, time_known=NOW)
        assert not list((config.folder / "releases" / "incoming").iterdir())
    path.write_bytes(whole)
    assert fetch(config, time_known=NOW).path is not None


def test_what_broke_off_is_resumed_where_the_server_can(config: Config, server: Server) -> None:
    """And begun anew where it cannot; the sum is that of the whole in either case."""
    whole = (config.folder / "server" / "tiny-2.bundle").read_bytes()
    for ranges in (True, False):
        server.asked.clear()
        server.ranges, server.cut = ranges, 1000
        with pytest.raises((BundleError, InputError)):
            fetch(config, server.address, time_known=NOW)
        part = config.folder / "releases" / "incoming" / "tiny-2.bundle.part"
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(whole[:1000])
        server.cut = 0
        fetched = fetch(config, server.address, time_known=NOW)
        assert fetched.path is not None
        assert fetched.path.read_bytes() == whole
        assert server.asked[-1] == ("/tiny-2.bundle", "bytes=1000-")
        fetched.path.unlink()


def test_what_cannot_be_asked_or_reached_is_one_line(config: Config, server: Server) -> None:
    """An address without TLS, another scheme, no server, no such name, nothing set."""
    for wrong in ("http://example.org/models", "ftp://example.org", "file:///etc"):
        with pytest.raises(UsageError, match="must begin with https://"):
            fetch(config, wrong, time_known=NOW)
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch(config, "http://127.0.0.1:1", time_known=NOW)
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch(config, str(config.folder / "none"), time_known=NOW)
    with pytest.raises(UsageError, match="lists no bundle 'other'; it has tiny"):
        fetch(config, server.address, "other", time_known=NOW)
    (config.folder / "edge.toml").write_text(SETTINGS.replace('"server"', '""'))
    with pytest.raises(UsageError, match="nothing to fetch from"):
        fetch(load_config(config.folder / "edge.toml"), time_known=NOW)


def test_the_command_fetches_and_says_what_then(
    config: Config, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or activates at once, if it is asked to."""
    monkeypatch.setattr("edge.activation.fetch.known_time", lambda _config: NOW)
    settings = str(config.folder / "edge.toml")
    assert main(["fetch", "--config", settings]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("fetched ")
    assert said[1].startswith("activate it with: stampgate-edge activate ")
    release = make_release(config.folder / "releases", 1)
    make_current(config.folder / "releases", release)

    class Done:
        def __init__(self) -> None:
            self.release = release

    monkeypatch.setattr("edge.activation.activate.activate", lambda _config, _path: Done())
    assert main(["fetch", "--config", settings, "--activate", "--name", "tiny"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith(f"{release.id} is current")
