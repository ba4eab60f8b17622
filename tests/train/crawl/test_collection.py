import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import InputError, UsageError
from tests.train.crawl.photographs import body, jpeg, photograph
from train.crawl import folder
from train.crawl.collection import Collection
from train.crawl.counts import Counts
from train.crawl.manifest import Source
from train.photographs import list_photographs, split_by_product


def from_bing(name: str, keyword: str = "milk") -> Source:
    """A picture that an engine named."""
    return Source(f"https://shop.example/{name}.jpg", "bing", keyword)


def lines(out: Path) -> list[dict[str, object]]:
    """The manifest, without the times."""
    told = [
        json.loads(line)
        for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return [{name: value for name, value in line.items() if name != "time"} for line in told]


def photographs_of(where: Path, *names: str) -> Path:
    """A company's folder, each of its photographs another one."""
    for number, name in enumerate(names):
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_bytes(jpeg(100 + number))
    return where


def take_in(own: Path, out: Path, near: int = 8) -> Counts:
    """Run `--from`."""
    with Collection(out, near) as collection:
        return folder.gather(
            folder.list_files(own, out), own, collection, threading.Event(), lambda: None
        )


def test_the_manifest_tells_all_about_each_picture(tmp_path: Path) -> None:
    """Address, engine, keyword, hash and size of the body, file, pixels, perceptual hash."""
    content = jpeg(1)
    with Collection(tmp_path) as collection:
        kept = collection.take(from_bing("a"), content)
        collection.refuse(from_bing("b"), "HTTP 404")
    assert lines(tmp_path) == [
        {
            "v": 1,
            "kind": "kept",
            "url": "https://shop.example/a.jpg",
            "engine": "bing",
            "keyword": "milk",
            "number": 1,
            "file": "pictures/milk_000001.jpg",
            "sha256": kept.sha256,
            "size": len(content),
            "width": 400,
            "height": 300,
            "phash": kept.phash,
        },
        {
            "v": 1,
            "kind": "refused",
            "url": "https://shop.example/b.jpg",
            "engine": "bing",
            "keyword": "milk",
            "reason": "HTTP 404",
        },
    ]
    assert kept.time.endswith("+00:00")


def test_a_keyword_is_held_out_as_one_product(tmp_path: Path) -> None:
    """Training splits by product, which it reads from the names of the files."""
    with Collection(tmp_path) as collection:
        for seed in range(8):
            collection.take(from_bing(str(seed), f"tea {seed % 2}"), jpeg(seed))
    paths = list_photographs(tmp_path / "pictures")
    training, held_out = split_by_product(paths, tmp_path / "pictures", 0.2)
    products = [{path.name.split("_")[0] for path in side} for side in (training, held_out)]
    assert sorted(map(sorted, products)) == [["tea-0"], ["tea-1"]]


def test_a_repetition_is_refused_even_of_what_was_dropped(tmp_path: Path) -> None:
    """A person took it out; it must not come back by another way."""
    smaller = body(photograph(1).resize((320, 240)), quality=50)
    with Collection(tmp_path) as collection:
        collection.take(from_bing("a"), jpeg(1))
        collection.drop([1])
        found = [collection.take(from_bing("b"), jpeg(1)), collection.take(from_bing("c"), smaller)]
    assert [(entry.kind, entry.reason.split(":")[0], entry.like) for entry in found] == [
        ("refused", "duplicate", 1),
        ("refused", "near duplicate", 1),
    ]


def test_dropping_moves_the_file_and_numbers_stay(tmp_path: Path) -> None:
    """The number of a dropped picture is not given again."""
    with Collection(tmp_path) as collection:
        for seed in range(3):
            collection.take(from_bing(str(seed)), jpeg(seed))
        assert [entry.number for entry in collection.drop([3, 1])] == [1, 3]
        assert collection.drop([1]) == []
    with Collection(tmp_path) as collection:
        assert collection.take(from_bing("3"), jpeg(3)).number == 4
        assert [entry.number for entry in collection.kept] == [2, 4]
    assert sorted(path.name for path in (tmp_path / "dropped").iterdir()) == [
        "milk_000001.jpg",
        "milk_000003.jpg",
    ]


def test_a_number_that_is_not_there_drops_nothing(tmp_path: Path) -> None:
    """A typing error must not cost half a selection."""
    with Collection(tmp_path) as collection:
        collection.take(from_bing("a"), jpeg(1))
        with pytest.raises(
            UsageError, match="no picture has the number 7, 8; look on the contact sheet"
        ):
            collection.drop([1, 8, 7])
        assert len(collection.kept) == 1


def test_a_file_deleted_by_hand_counts_as_dropped_and_put_back_counts_again(tmp_path: Path) -> None:
    """People weed with the file manager."""
    with Collection(tmp_path) as collection:
        for seed in range(2):
            collection.take(from_bing(str(seed)), jpeg(seed))
    path = tmp_path / "pictures" / "milk_000001.jpg"
    kept = path.read_bytes()
    path.unlink()
    with Collection(tmp_path) as collection:
        assert [entry.number for entry in collection.kept] == [2]
        assert collection.known("https://shop.example/0.jpg") is not None
        assert collection.notes == [
            "picture 1: its file was taken out of pictures/ by hand; it counts as dropped",
        ]
    path.write_bytes(kept)
    with Collection(tmp_path) as collection:
        assert [entry.number for entry in collection.kept] == [1, 2]
        assert collection.notes == [
            "picture 1: its file was put back into pictures/; it counts again"
        ]
    with Collection(tmp_path) as collection:
        assert collection.notes == []


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_power_cut_costs_at_most_the_last_line(tmp_path: Path, cut: int) -> None:
    """The line is taken off, its picture too, and the next run fetches it again."""
    with Collection(tmp_path) as collection:
        for seed in range(3):
            collection.take(from_bing(str(seed)), jpeg(seed))
    whole = (tmp_path / "manifest.jsonl").read_bytes()
    (tmp_path / "manifest.jsonl").write_bytes(whole[:-cut])
    (tmp_path / "pictures" / ".milk_000003.jpg.x1y2z3").write_bytes(b"half")
    with Collection(tmp_path) as collection:
        assert [entry.number for entry in collection.kept] == [1, 2]
        assert len(collection.notes) == 3
        assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [
            "milk_000001.jpg",
            "milk_000002.jpg",
        ]
        assert collection.known("https://shop.example/2.jpg") is None
        collection.take(from_bing("2"), jpeg(2))
    assert [line["number"] for line in lines(tmp_path)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "line 2 is no line of a crawl's manifest"),
        ("[1]", "line 2 is no line of a crawl's manifest"),
        ('{"v": 1, "kind": "kept"}', "line 2 is no line of a crawl's manifest"),
        (
            '{"v": 9, "kind": "missed", "url": "", "engine": "", "keyword": "", "time": ""}',
            "must have v 1, not 9",
        ),
        (
            '{"v": 1, "kind": "lost", "url": "", "engine": "", "keyword": "", "time": ""}',
            "kind must be one of kept,",
        ),
        (
            '{"v": 1, "kind": "missed", "url": 5, "engine": "", "keyword": "", "time": ""}',
            "url must be str",
        ),
    ],
)
def test_a_manifest_that_was_edited_wrongly_is_refused_by_line(
    tmp_path: Path, line: str, said: str
) -> None:
    """Half a line at the end is mended, a wrong one in the middle is a person's."""
    with Collection(tmp_path) as collection:
        collection.take(from_bing("a"), jpeg(1))
    with (tmp_path / "manifest.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=said), Collection(tmp_path):
        pass
    assert (tmp_path / "pictures" / "milk_000001.jpg").exists()


def test_two_crawls_do_not_fill_one_folder(tmp_path: Path) -> None:
    """The second is refused while the first one runs."""
    with (
        Collection(tmp_path),
        pytest.raises(InputError, match="another crawl is filling this folder"),
    ):
        Collection(tmp_path).__enter__()
    with Collection(tmp_path):
        pass


def test_numbers_are_given_once_however_many_threads_take_pictures(tmp_path: Path) -> None:
    """Each thread brings the same eight pictures, and each picture is kept once."""
    contents = [jpeg(seed) for seed in range(8)]
    with Collection(tmp_path) as collection:

        def bring(worker: int) -> None:
            for number, content in enumerate(contents):
                collection.take(from_bing(f"{worker}-{number}"), content)

        threads = [threading.Thread(target=bring, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [entry.number for entry in collection.kept] == list(range(1, 9))
    assert len(lines(tmp_path)) == 32


def test_a_company_s_folder_keeps_its_products(tmp_path: Path) -> None:
    """Sub-folders, or names without their number, as training reads them."""
    own = photographs_of(
        tmp_path / "own", "milk/1.jpg", "milk/2.jpg", "Leek_001.jpg", ".hidden.jpg"
    )
    counts = take_in(own, tmp_path / "out")
    assert (counts.kept, counts.text()) == (3, "folder 'own': 3 kept; 3 files")
    assert sorted(path.name for path in (tmp_path / "out" / "pictures").iterdir()) == [
        "leek_000001.jpg",
        "milk_000002.jpg",
        "milk_000003.jpg",
    ]


def test_a_folder_goes_through_the_same_cleaning_and_is_not_judged_twice(tmp_path: Path) -> None:
    """The second run writes nothing; a photograph that was replaced under its name is new."""
    own = photographs_of(tmp_path / "own", "a.jpg", "b.jpg")
    (own / "notes.txt").write_text("gone shopping")
    (own / "copy of a.jpg").write_bytes((own / "a.jpg").read_bytes())
    (own / "empty.png").write_bytes(b"")
    first = take_in(own, tmp_path / "out")
    assert (first.kept, dict(first.reasons)) == (2, {"duplicate": 1, "empty": 1, "no picture": 1})
    before = lines(tmp_path / "out")
    second = take_in(own, tmp_path / "out")
    assert (second.kept, second.known, second.yielded, lines(tmp_path / "out")) == (
        0,
        5,
        True,
        before,
    )
    (own / "b.jpg").write_bytes(jpeg(55))
    assert take_in(own, tmp_path / "out").kept == 1


def test_near_duplicates_of_a_folder_can_be_asked_for_later(tmp_path: Path) -> None:
    """A fixed camera's photographs look alike to the hash; --near 0 takes them in after all."""
    own = photographs_of(tmp_path / "own", "a.jpg")
    (own / "b.jpg").write_bytes(
        body(photograph(100).point(lambda value: min(255, value + 9)), quality=80)
    )
    out = tmp_path / "out"
    assert dict(take_in(own, out).reasons) == {"near duplicate": 1}
    assert (
        take_in(own, out).known,
        take_in(own, out, near=0).kept,
        take_in(own, out, near=0).known,
    ) == (2, 1, 2)


def test_an_unreadable_photograph_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The share may have been away for a moment."""
    own = photographs_of(tmp_path / "own", "a.jpg")
    usual: Callable[[Path], bytes] = Path.read_bytes

    def away(path: Path) -> bytes:
        if path.name == "a.jpg":
            raise OSError(5, "Input/output error")
        return usual(path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", away)
        assert take_in(own, tmp_path / "out").missed == 1
    assert take_in(own, tmp_path / "out").kept == 1


def test_a_folder_within_the_other_is_refused(tmp_path: Path) -> None:
    """The next run would take its own pictures for new ones."""
    own = photographs_of(tmp_path / "own", "a.jpg")
    for out in (own, own / "out", tmp_path):
        with pytest.raises(UsageError, match="must not lie in --from"):
            folder.list_files(own, out)
    with pytest.raises(InputError, match="no such folder"):
        folder.list_files(tmp_path / "nowhere", tmp_path / "out")
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="holds no file"):
        folder.list_files(tmp_path / "bare", tmp_path / "out")
