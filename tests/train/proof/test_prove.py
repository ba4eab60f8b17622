"""``stampgate prove``: what was frozen is what is judged, and the report says what was shown."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.proof_summary import PHOTOGRAPHS_KEY
from export.__main__ import main
from export.sealing import seal
from tests.tiny_model import CONTRACT, build, golden_pictures, write_tiny_model
from tests.train.proof.studies import folder, prove, scene, scenes, stamped, told
from train.file_sums import file_sum
from train.leakage import TRAINED, meet
from train.proof import judging


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser takes seconds; tests/train/pages sees to it."""
    monkeypatch.setattr("train.pages.pdf.browser", lambda: None)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The tiny model, threshold 0.5."""
    return write_tiny_model(tmp_path / "tiny.onnx")


def below(errors: int, items: int, bound: float) -> float:
    """The probability of at most so many errors at a rate of *bound*, by hand."""
    terms = (math.comb(items, k) * bound**k * (1 - bound) ** (items - k) for k in range(errors + 1))
    return sum(terms)


def test_a_desk_study_shows_false_accepts_alone(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its bound is exact; what was not measured is said, and is no success."""
    unstamped, out = scenes(tmp_path / "u", 20), tmp_path / "proof"
    assert prove(model, out, "--unstamped", unstamped, plan="fa<15%") == 0
    found = told(out)
    rate = found["results"]["false_accepts"]
    assert (rate["errors"], rate["items"]) == (0, 20)
    assert below(0, 20, rate["upper_bound"]) == pytest.approx(0.05)
    assert found["stage"] == "desk"
    page = (out / "proof.html").read_text()
    assert "Shown: false accepts below 15&nbsp;% at 95&nbsp;% confidence." in page
    assert "Not claimed: false rejects, " in page
    assert "A model that rejects everything would pass this study." in page
    assert "not measured" in page
    assert "nan" not in page.lower().replace("finance", "")
    said = capsys.readouterr().out
    assert "0 of 20 items without the stamp were accepted" in said
    other = tmp_path / "other"
    assert prove(model, other, "--unstamped", unstamped, plan="fa<15% fr<5%") == 1
    assert told(other)["results"]["result"] == "not measured"
    assert told(other)["results"]["false_rejects"]["rate"] is None


def test_errors_are_counted_and_shown(model: Path, tmp_path: Path) -> None:
    """Of both kinds, each as a picture; the claims that fail say what would show them."""
    frames = {f"{n}.png": scene(n) for n in range(30)}
    frames["accepted.png"] = stamped(400)
    unstamped = folder(tmp_path / "u", frames)
    marked = {f"{n}.png": stamped(n) for n in range(100, 120)}
    marked["missed.png"] = stamped(300, share=0.25)
    out = tmp_path / "proof"
    options = ("--unstamped", unstamped, "--stamped", folder(tmp_path / "s", marked))
    assert prove(model, out, *options, plan="fa<20% fr<5%", sweeps=2) == 1
    found = told(out)
    claims = {one["claim"]: one for one in found["results"]["claims"]}
    assert [claims[c]["result"] for c in ("fa<20%", "fr<5%")] == ["shown", "not shown"]
    for name, items in (("fa<20%", 31), ("fr<5%", 21)):
        assert (claims[name]["errors"], claims[name]["items"]) == (1, items)
        assert below(1, items, claims[name]["upper_bound"]) == pytest.approx(0.05)
    assert found["stage"] == "bench"
    wrong = {item["item"] for item in found["items"] if item["wrong"]}
    assert wrong == {"unstamped/accepted.png", "stamped/missed.png"}
    page = (out / "proof.html").read_text()
    assert "False accepts: no stamp, and it passes" in page
    assert "93 with 1 error" in page
    assert page.count("data:image/jpeg") >= 2
    assert "the same bits" in page
    swept = {one["name"]: one for one in found["robustness"]}
    assert swept["angle"]["stamped"] == swept["angle"]["unstamped"] == 2
    assert swept["blur"]["passed"][0] == 2


def test_all_is_frozen_before_one_picture_is_opened(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has every sum, the model's, the threshold and the plan."""
    out, opened = tmp_path / "proof", list[int]()

    def reading(path: Path, draft_px: int = 0) -> object:
        frozen = json.loads((out / "study-1" / "freeze.json").read_bytes())
        opened.append(len(frozen["pictures"]))
        return read_picture(path, draft_px)

    monkeypatch.setattr(judging, "read_picture", reading)
    assert prove(model, out, "--unstamped", scenes(tmp_path / "u", 3), plan="fa<2%") == 1
    assert opened == [3, 3, 3]
    frozen = json.loads((out / "study-1" / "freeze.json").read_bytes())
    assert frozen["threshold"] == 0.5
    assert frozen["plan"] == "fa<2% @95%"
    assert frozen["model_sha256"] == Localizer(model).sha256
    assert all(len(picture["sha256"]) == 64 for picture in frozen["pictures"])


@pytest.fixture
def stopped(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study that was stopped after three of eight pictures, in the midst of a line."""
    out, judge, left = tmp_path / "proof", judging._judge, [3]
    scenes(tmp_path / "u", 8)

    def some(*asked: Any) -> judging.Answer:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return judge(*asked)

    with monkeypatch.context() as patch:
        patch.setattr(judging, "_judge", some)
        assert prove(model, out, "--unstamped", tmp_path / "u") == 130
    answers = out / "study-1" / "answers.jsonl"
    assert len(answers.read_bytes().splitlines()) == 3
    with answers.open("ab") as file:
        file.write(b'{"picture": "unstam')
    return out


def test_a_study_that_was_stopped_goes_on(model: Path, stopped: Path, tmp_path: Path) -> None:
    """With the same freeze; what was judged stays as it was."""
    answers, freeze = (stopped / "study-1" / name for name in ("answers.jsonl", "freeze.json"))
    before, frozen = answers.read_bytes().splitlines()[:3], freeze.read_bytes()
    prove(model, stopped, "--unstamped", tmp_path / "u")
    assert answers.read_bytes().splitlines()[:3] == before
    assert len(answers.read_bytes().splitlines()) == 8
    assert freeze.read_bytes() == frozen
    assert told(stopped)["results"]["false_accepts"]["items"] == 8
    assert sorted(path.name for path in stopped.glob("study-*")) == ["study-1"]


@pytest.mark.parametrize("change", ["added", "removed", "changed"])
def test_a_picture_that_is_another_after_the_freeze_is_refused(
    change: str, model: Path, stopped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Added, removed or changed: it is named, and nothing is judged."""
    if change == "removed":
        (tmp_path / "u" / "u007.png").unlink()
    else:
        name = "u007.png" if change == "changed" else "u099.png"
        folder(tmp_path / "u", {name: scene(99)})
    assert prove(model, stopped, "--unstamped", tmp_path / "u") == 1
    said = capsys.readouterr().err
    assert f"was {change} after the freeze" in said
    assert not (stopped / "proof.json").exists()


def test_a_picture_changed_while_it_is_judged_stops_the_study(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its sum is looked at again when it is opened."""
    unstamped, out = scenes(tmp_path / "u", 3), tmp_path / "proof"
    total = file_sum

    def meanwhile(path: Path) -> str:
        folder(unstamped, {"u002.png": scene(77)})
        return total(path)

    monkeypatch.setattr(judging, "file_sum", meanwhile)
    assert prove(model, out, "--unstamped", unstamped) == 1
    assert "u002.png: was changed after the freeze" in capsys.readouterr().err
    assert not (out / "proof.json").exists()


@pytest.mark.parametrize(
    ("what", "plan", "threshold"),
    [("plan", "fa<20% fr<15%", 0.5), ("threshold", "fa<15% fr<15%", 0.4)],
)
def test_other_terms_than_those_frozen_are_refused(
    what: str,
    plan: str,
    threshold: float,
    stopped: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also for other pictures: who has seen some would choose by them."""
    contract = dataclasses.replace(CONTRACT, threshold=threshold)
    other = write_tiny_model(tmp_path / "other.onnx", contract)
    assert prove(other, stopped, "--unstamped", scenes(tmp_path / "v", 4, 50), plan=plan) == 1
    assert f"frozen with another {what}" in capsys.readouterr().err


def test_another_model_is_refused(
    stopped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the same threshold: the digest of graph and contract tells."""
    contract = dataclasses.replace(CONTRACT, run_digest="1" * 64)
    other = write_tiny_model(tmp_path / "other.onnx", contract)
    assert prove(other, stopped, "--unstamped", tmp_path / "u") == 1
    assert "frozen with another model" in capsys.readouterr().err


def test_other_pictures_are_another_study(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has a number, says that there are others, and both are kept; half of each is none."""
    out = tmp_path / "proof"
    prove(model, out, "--unstamped", scenes(tmp_path / "u", 20), plan="fa<15%")
    assert prove(model, out, "--unstamped", scenes(tmp_path / "v", 21, 50), plan="fa<15%") == 0
    assert told(out)["freeze"]["study"] == 2
    assert [one["study"] for one in told(out)["studies"]] == ["1"]
    page = (out / "proof.html").read_text()
    assert "This is study 2; there are others" in page
    assert "study 2 of 2" in told(out)["summary"]["words"]
    for number in (1, 2):
        assert (out / f"study-{number}" / "proof.html").exists()
    capsys.readouterr()
    scenes(tmp_path / "u", 25)
    assert prove(model, out, "--unstamped", tmp_path / "u", plan="fa<15%") == 1
    assert "u020.png and 4 more was added after the freeze" in capsys.readouterr().err


def test_what_the_model_has_met_is_refused(model: Path, tmp_path: Path) -> None:
    """The same file, and a copy that was saved again; the others are judged."""
    unstamped = scenes(tmp_path / "u", 20)
    copy = tmp_path / "trained.jpg"
    Image.fromarray(scene(5)).save(copy, quality=50)
    same = unstamped / "u007.png"
    sums = {path: file_sum(path) for path in (copy, same)}
    met = meet((TRAINED, path.name, total, path) for path, total in sums.items())
    others = {PHOTOGRAPHS_KEY: met.export_text()}
    known = tmp_path / "known.onnx"
    known.write_bytes(seal(build(CONTRACT), CONTRACT, golden_pictures(CONTRACT), others))
    out = tmp_path / "proof"
    prove(known, out, "--unstamped", unstamped)
    found = told(out)["results"]
    assert found["met"] == ["unstamped/u005.png", "unstamped/u007.png"]
    assert found["false_accepts"]["items"] == 18
    page = (out / "proof.html").read_text()
    assert "2 pictures were refused, because the model has met them" in page
    assert "unstamped/u005.png: a copy of a photograph trained on" in page
    assert "unstamped/u007.png: the same file as a photograph trained on" in page
    assert "was not checked" not in page


def test_pictures_all_met_are_no_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says why, and nothing is shown."""
    unstamped = scenes(tmp_path / "u", 2)
    met = meet((TRAINED, p.name, file_sum(p), p) for p in unstamped.iterdir())
    known = tmp_path / "known.onnx"
    others = {PHOTOGRAPHS_KEY: met.export_text()}
    known.write_bytes(seal(build(CONTRACT), CONTRACT, golden_pictures(CONTRACT), others))
    assert prove(known, tmp_path / "proof", "--unstamped", unstamped) == 1
    assert "not one picture can be judged" in capsys.readouterr().err
    assert not (tmp_path / "proof" / "proof.json").exists()


def test_a_model_without_a_list_is_said_to_be_unchecked(model: Path, tmp_path: Path) -> None:
    """On the page, and in the summary that travels."""
    out = tmp_path / "proof"
    prove(model, out, "--unstamped", scenes(tmp_path / "u", 2))
    assert "was not checked" in (out / "proof.html").read_text()
    assert "leakage not checked" in told(out)["summary"]["words"]


def test_frames_of_one_item_are_one(model: Path, tmp_path: Path) -> None:
    """It is wrong as soon as one of them is."""
    frames = {f"{n}.png": scene(n) for n in range(9)} | {"9.png": stamped(9)}
    unstamped = folder(tmp_path / "u", frames)
    table = tmp_path / "map.csv"
    table.write_text("picture,item\n" + "".join(f"{n}.png,i{n // 5}\n" for n in range(10)))
    out = tmp_path / "proof"
    prove(model, out, "--unstamped", unstamped, "--items", table)
    rate = told(out)["results"]["false_accepts"]
    assert (rate["errors"], rate["items"]) == (1, 2)
    assert "2 items were judged on 10 pictures" in (out / "proof.html").read_text()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.png,a\n1.png,b\n", "must have two columns"),
        ("picture,item\n0.png,a\n", "1.png is not in it"),
        ("picture,item\n0.png,a\n1.png,b\n2.png,c\n", "2.png is none of the pictures"),
        ("picture,item\n0.png,a\n0.png,b\n", "stands twice"),
        ("picture,item\n0.png\n", "must have two columns"),
        ("picture,item\n0.png,\n1.png,b\n", "must have two columns"),
        ("", "0.png is not in it"),
        ("picture,item\n0.png,a\n1.png,a\ns.png,a\n", "unstamped pictures and stamped ones"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    text: str, why: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, before anything is frozen."""
    unstamped = folder(tmp_path / "u", {f"{n}.png": scene(n) for n in range(2)})
    marked = folder(tmp_path / "s", {"s.png": stamped(7)} if "s.png" in text else {})
    table = tmp_path / "map.csv"
    table.write_text(text)
    options: list[str | Path] = ["--unstamped", unstamped, "--items", table]
    options += ["--stamped", marked] if "s.png" in text else []
    assert prove(model, tmp_path / "proof", *options) == 1
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1
    assert not list((tmp_path / "proof").glob("study-*"))


def test_labelled_pictures_are_with_and_without(model: Path, tmp_path: Path) -> None:
    """A picture with an ignored box alone says nothing; one that passes elsewhere is told."""
    frames = {"a.png": stamped(1), "b.png": stamped(2), "c.png": scene(3), "d.png": stamped(4)}
    images = folder(tmp_path / "i", frames)
    at = {
        "a.png": ([8, 16, 24, 24], 0),
        "b.png": ([40, 40, 20, 20], 0),
        "d.png": ([8, 16, 24, 24], 1),
    }
    names = sorted(frames)
    labels = {
        "images": [
            {"id": n, "file_name": name, "width": 64, "height": 64} for n, name in enumerate(names)
        ],
        "annotations": [
            {
                "id": n,
                "image_id": names.index(name),
                "category_id": 1,
                "bbox": box,
                "ignore": ignore,
            }
            for n, (name, (box, ignore)) in enumerate(at.items())
        ],
        "categories": [{"id": 1, "name": "dot"}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    out = tmp_path / "proof"
    prove(model, out, "--coco", tmp_path / "labels.json", "--images", images)
    found = told(out)["results"]
    assert (found["false_accepts"]["items"], found["false_rejects"]["items"]) == (1, 2)
    assert found["false_rejects"]["errors"] == 0
    assert found["misplaced"] == 1
    assert found["ignored"] == ["labelled/d.png"]
    assert "(as labelled)" in (out / "proof.html").read_text()


def test_look_alikes_are_a_table_and_no_claim(model: Path, tmp_path: Path) -> None:
    """By their sub-folder; they are counted as no unstamped item."""
    alike = folder(tmp_path / "l", {"half/1.png": stamped(1, 0.75), "ring/1.png": scene(2)})
    out = tmp_path / "proof"
    options = ("--unstamped", scenes(tmp_path / "u", 20, 10), "--lookalikes", alike)
    assert prove(model, out, *options, plan="fa<15%") == 0
    page = (out / "proof.html").read_text()
    assert '<td>half</td><td class="n">1 of 1</td>' in page
    assert '<td>ring</td><td class="n">0 of 1</td>' in page


def test_a_damaged_picture_counts_for_nothing(model: Path, tmp_path: Path) -> None:
    """And it is listed."""
    unstamped = scenes(tmp_path / "u", 3)
    (unstamped / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    out = tmp_path / "proof"
    prove(model, out, "--unstamped", unstamped)
    assert told(out)["results"]["unread"] == ["unstamped/broken.jpg"]
    assert told(out)["results"]["false_accepts"]["items"] == 3
    assert "1 pictures cannot be read" in (out / "proof.html").read_text()


def test_a_name_can_forge_nothing_on_the_page(model: Path, tmp_path: Path) -> None:
    """Neither an element nor a line."""
    odd = "<script>alert(1)</script>\n\u202e.png".replace("/", "")
    unstamped = folder(tmp_path / "u", {odd: stamped(1)})
    out = tmp_path / "proof"
    prove(model, out, "--unstamped", unstamped, "--intended", "<b>all</b>")
    page = (out / "proof.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;all" in page


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "no picture to judge"),
        (("--lookalikes", "x"), "no picture to judge"),
        (("--coco", "labels.json"), "belong together"),
        (("--unstamped", "nowhere"), "no such folder"),
    ],
)
def test_a_call_that_makes_no_sense_costs_one_line(
    options: tuple[str, ...],
    why: str,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is frozen."""
    assert prove(model, tmp_path / "proof", *options) in (1, 2)
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


def test_the_sheets_for_the_bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As many lines and cards as the plan needs; the stamp in millimetres."""
    folder(tmp_path, {"mark.png": stamped(1)})
    out = tmp_path / "sheets" / "protocol.html"
    words = ["prove", "--protocol", str(out), "--plan", "fr<5%", "--mark"]
    assert main([*words, str(tmp_path / "mark.png")]) == 0
    page = out.read_text()
    assert page.count("<div>0") == 93
    assert page.count("<tr><td>0") == 93
    assert "width: 30mm" in page
    assert "stamp 93 items" in capsys.readouterr().out
    assert main([*words, str(tmp_path / "none.png")]) == 1


def test_a_file_that_is_there_twice_counts_once(model: Path, tmp_path: Path) -> None:
    """And pictures that look like another item's are told."""
    frames = {"a.png": scene(1), "b.png": scene(2), "c.png": scene(1)}
    unstamped = folder(tmp_path / "u", frames)
    Image.fromarray(scene(2)).save(unstamped / "d.jpg", quality=60)
    out = tmp_path / "proof"
    prove(model, out, "--unstamped", unstamped)
    found = told(out)["results"]
    assert found["again"] == ["unstamped/c.png"]
    assert found["alike"] == ["unstamped/d.jpg"]
    assert found["false_accepts"]["items"] == 3
    page = (out / "proof.html").read_text()
    assert "unstamped/c.png: the same file as unstamped/a.png" in page
    assert "1 pictures look like that of another item" in page


def test_one_photograph_is_not_stamped_and_unstamped(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it is called there; nothing is frozen."""
    unstamped = folder(tmp_path / "u", {"a.png": scene(1)})
    marked = folder(tmp_path / "s", {"b.png": scene(1)})
    options = ("--unstamped", unstamped, "--stamped", marked)
    assert prove(model, tmp_path / "proof", *options) == 1
    assert "b.png: is stamped, and the same file as" in capsys.readouterr().err
    assert not list((tmp_path / "proof").glob("study-*"))


def test_labels_changed_after_the_freeze_are_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A box taken away would make a miss a hit."""
    images, labels = folder(tmp_path / "i", {"a.png": scene(1)}), tmp_path / "labels.json"
    empty: dict[str, list[Any]] = {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 64}],
        "annotations": [],
        "categories": [{"id": 1, "name": "dot"}],
    }
    labels.write_text(json.dumps(empty))
    options = ("--coco", labels, "--images", images)
    prove(model, tmp_path / "proof", *options)
    capsys.readouterr()
    labels.write_text(json.dumps(empty, indent=1))
    assert prove(model, tmp_path / "proof", *options) == 1
    assert "the labels or the items are not what was frozen" in capsys.readouterr().err
