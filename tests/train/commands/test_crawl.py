import argparse
import base64
import functools
import io
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import icrawler.crawler
import pytest
from PIL import Image

from edge import files
from edge.errors import InputError, UsageError
from tests.train.crawl import web
from tests.train.crawl.photographs import body, jpeg, photograph
from tests.train.crawl.web import NOTHING_FOUND, Web
from train import copies
from train.commands import crawl
from train.crawl import collection, engines
from train.crawl.search_state import FetchSettings

QUICK = FetchSettings(timeout_s=60.0, deadline_s=120.0, tries=1, pause_s=0.0, tick_s=0.005)


def run(*argv: object) -> int:
    """Run the command as its arguments would."""
    parser = argparse.ArgumentParser()
    crawl.add_arguments(parser)
    arguments = parser.parse_args([str(argument) for argument in argv])
    return crawl.run(arguments)


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The engines and the shops, with the command led to them."""
    net = Web()
    with web.serving(net) as carrier:
        monkeypatch.setattr(
            icrawler.crawler, "time", SimpleNamespace(sleep=lambda s: time.sleep(s / 100))
        )
        monkeypatch.setattr(
            engines, "search", functools.partial(engines.search, settings=QUICK, transport=carrier)
        )
        yield net


def shop(net: Web, *seeds: int) -> list[str]:
    """Put photographs into a shop; returns their addresses."""
    return [net.put(f"https://shop.example/p{seed}.jpg", jpeg(seed)) for seed in seeds]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A company's folder of six photographs."""
    folder = tmp_path / "own"
    folder.mkdir()
    for seed in range(6):
        (folder / f"Leek_{seed:03}.jpg").write_bytes(jpeg(seed))
    return folder


def test_all_engines_are_asked_and_the_one_that_gives_nothing_is_named(
    net: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others' pictures are kept, and the sheet is written, before the command fails."""
    net.results("google", NOTHING_FOUND)
    net.results("bing", shop(net, 1, 2))
    net.results("baidu", shop(net, 3))
    with pytest.raises(InputError) as failed:
        run("milk carton", "--engine", "all", "--out", tmp_path / "out")
    assert str(failed.value).startswith(
        "crawl: google gave not one picture, see above; what others gave is kept; an eng"
    )
    assert failed.value.exit_code == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[:4] == [
        "google 'milk carton': 0 kept; result pages: 2 x HTTP 200; 0 links, 0 files arrived",
        "bing 'milk carton': 2 kept; result pages: 3 x HTTP 200; 2 links, 2 files arrived",
        "baidu 'milk carton': 1 kept; result pages: 3 x HTTP 200; 1 links, 1 files arrived",
        f"{tmp_path / 'out' / 'pictures'}: 3 pictures, 3 of them new",
    ]
    assert "google 'milk carton'" in said.err
    assert (tmp_path / "out" / "sheet.html").exists()
    assert len(list((tmp_path / "out" / "pictures").iterdir())) == 3


def test_an_engine_whose_links_are_all_rubbish_fails_too(net: Web, tmp_path: Path) -> None:
    """Links were found and bodies arrived, and yet there is not one picture among them."""
    net.results("bing", [net.put(f"https://shop.example/{n}.jpg", b"<html>") for n in range(3)])
    for _ in range(2):
        with pytest.raises(InputError, match="bing gave not one picture"):
            run("milk", "--out", tmp_path / "out")


def test_a_keyword_without_pictures_is_said_but_does_not_fail_an_engine_that_works(
    net: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody sells it."""
    net.results("bing", shop(net, 1), [], NOTHING_FOUND, NOTHING_FOUND)
    assert run("milk", "qqqq", "--out", tmp_path / "out") == 0
    assert capsys.readouterr().err == (
        "stampgate: bing 'qqqq': 0 kept; result pages: 2 x HTTP 200; 0 links, 0 files arrived: "
        "not one picture\n"
    )


def test_a_folder_is_cleaned_and_its_sheet_shows_each_picture(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No engine is asked; the last lines say what to do next."""
    out = tmp_path / "my out"
    assert run("--from", own, "--out", out) == 0
    assert capsys.readouterr().out == (
        "folder 'own': 6 kept; 6 files\n"
        f"{out}/pictures: 6 pictures, 6 of them new\n"
        f"next: look through {out}/sheet.html, drop what does not belong with "
        f"'stampgate crawl --out {out} --drop ...',\n"
        f"then 'stampgate train --mark STAMP.png --backgrounds {out}/pictures --out RUN'\n"
    )
    page = (out / "sheet.html").read_text(encoding="utf-8")
    assert re.findall(r'type="checkbox" value="(\d+)"', page) == ["1", "2", "3", "4", "5", "6"]
    thumbnails = [
        Image.open(io.BytesIO(base64.b64decode(t))) for t in re.findall(r"base64,([^\"]+)", page)
    ]
    assert [thumbnail.size for thumbnail in thumbnails] == [(180, 135)] * 6
    assert not re.search(r'(?:src|href)="(?!data:|file:)', page)


def test_dropping_takes_ranges_and_the_sheet_follows(own: Path, tmp_path: Path) -> None:
    """A dropped picture does not come back with the next run."""
    out = tmp_path / "out"
    run("--from", own, "--out", out)
    assert run("--out", out, "--drop", "1", "3-4") == 0
    assert run("--from", own, "--out", out) == 0
    page = (out / "sheet.html").read_text(encoding="utf-8")
    assert re.findall(r'type="checkbox" value="(\d+)"', page) == ["2", "5", "6"]
    assert sorted(path.name[-5:] for path in (out / "pictures").iterdir()) == [
        "2.jpg",
        "5.jpg",
        "6.jpg",
    ]


def test_a_page_s_text_cannot_become_part_of_the_sheet(net: Web, tmp_path: Path) -> None:
    """Addresses and keywords come from elsewhere."""
    link = net.put("https://shop.example/'><script>alert(1)</script>.jpg", jpeg(1))
    own = tmp_path / 'x"; <b>'
    own.mkdir()
    (own / "<i>.jpg").write_bytes(jpeg(2))
    net.results("google", [link])
    with pytest.raises(InputError, match="google"):
        run("</script><b>", "--engine", "google", "--out", tmp_path / "o</script>ut" / "x")
    run("--from", own, "--out", tmp_path / "o</script>ut" / "x")
    page = (tmp_path / "o</script>ut" / "x" / "sheet.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 1
    assert "<i>" not in page
    assert "<b></" not in page


def test_photographs_of_a_fixed_camera_get_the_advice(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They look alike to the hash, and are different items."""
    for number in range(3):
        lighter = photograph(0).point(lambda value, more=3 * number: min(255, value + 6 + more))
        (own / f"rig_{number}.jpg").write_bytes(body(lighter))
    for path in own.glob("Leek*"):
        if path.name != "Leek_000.jpg":
            path.unlink()
    assert run("--from", own, "--out", tmp_path / "out") == 0
    assert "3 photographs were taken for near duplicates" in capsys.readouterr().err
    assert run("--from", own, "--out", tmp_path / "out", "--near", "0") == 0
    assert len(list((tmp_path / "out" / "pictures").iterdir())) == 4


def test_ctrl_c_ends_between_two_pictures_and_the_same_command_goes_on(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real signal, while the third picture is being written."""
    usual = files.write_atomic

    def interrupted(path: Path, content: bytes) -> None:
        if path.name.endswith("3.jpg"):
            os.kill(os.getpid(), signal.SIGINT)
        usual(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(collection, "write_atomic", interrupted)
        assert run("--from", own, "--out", tmp_path / "out") == 130
    assert "stopped; what came is kept" in capsys.readouterr().out
    kept = [
        json.loads(line)["number"]
        for line in (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()
    ]
    assert kept == [1, 2, 3]
    assert run("--from", own, "--out", tmp_path / "out") == 0
    assert "6 pictures, 3 of them new" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--out", "new"], "crawl: nothing to gather; give a KEYWORD"),
        (["--out", "new", "--drop", "3"], "--out new: holds no pictures gathered"),
        (["milk", "--out", "out", "--drop", "3"], "--drop: goes alone with --out"),
        (["--out", "out", "--drop", "5-3"], "--drop 5-3: must be numbers of the contact sheet"),
        (["--out", "out", "--drop", "x"], "--drop x: must be numbers"),
        (["--out", "out", "--drop", "99"], "--drop: no picture has the number 99"),
        (["milk", "--out", "new", "--limit", "0"], "--limit must be between 1 and 1000"),
        (["milk", "--out", "new", "--near", "40"], "--near must be between 0 and 16 bits, not 40"),
        ([" ", "--out", "new"], "a KEYWORD must not be empty"),
    ],
)
def test_a_wrong_command_is_refused_in_one_line(
    argv: list[str], said: str, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is made before the arguments are known to be right."""
    monkeypatch.chdir(tmp_path)
    run("--from", own, "--out", "out")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError) as refused:
        run(*argv)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_numbers_of_the_command_line_are_those_of_the_crawl() -> None:
    """They are written twice, so that --help needs no library."""
    assert tuple(engines.ENGINES) == crawl.ENGINES
    assert (crawl.NEAR_BITS, crawl.MAX_LIMIT) == (copies.NEAR, engines.MOST_LINKS)


def test_the_sheet_can_be_written_anew_after_weeding_by_hand(own: Path, tmp_path: Path) -> None:
    """With --out alone."""
    out = tmp_path / "out"
    run("--from", own, "--out", out)
    next((out / "pictures").glob("*2.jpg")).unlink()
    assert run("--out", out) == 0
    assert re.findall(r'value="(\d+)"', (out / "sheet.html").read_text(encoding="utf-8")) == [
        "1",
        "3",
        "4",
        "5",
        "6",
    ]
