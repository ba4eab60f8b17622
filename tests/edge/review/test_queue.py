"""The queue, the bound that moves with each judgement, and the pictures."""

from pathlib import Path

import pytest

from edge.errors import InputError
from edge.rates.anytime import anytime_bound
from edge.review.bound import exact_bound, running_bound
from edge.review.claims import CLAIM_S, Claims
from edge.review.evidence import overlay, picture_of
from edge.review.store import ReviewStore
from tests.edge.review.journals import ANNA, BERT, an_item, kept, shift, write


def asked(store: ReviewStore, limit: int = 10) -> list[tuple[str, int]]:
    """Return kinds and items that a reviewer is given."""
    return [(task.kind, task.row.item) for task in store.queue(ANNA, limit=limit)]


def test_the_kinds_come_in_turn_each_with_the_most_telling_first(tmp_path: Path) -> None:
    """Nearest the threshold, the newest reject, and the draw's own order."""
    disagreeing = [{"verdict": "pass"}, {"verdict": "reject"}]
    with shift(tmp_path) as store:
        more = kept(tmp_path / "evidence", 99, 41, "reject")
        burst = an_item(41, "reject", 0.3, frames=disagreeing, **more)
        write(store.journal, [("item", burst)], second=60)
        store.index.catch_up()
        tasks = store.queue(ANNA, limit=8)
        assert [task.kind for task in tasks[:4]] == ["sample", "threshold", "disagree", "reject"]
        assert next(task.row.item for task in tasks if task.kind == "threshold") in (
            1,
            3,
        )  # 1 may be drawn
        assert tasks[2].row.item == 41
        assert tasks[3].row.item == 40
        assert all(task.why and task.row.evidence for task in tasks)
        numbers = [task.row.item for task in tasks]
        assert len(set(numbers)) == 8
        assert [task.kind for task in store.queue(ANNA, ("reject",), limit=2)] == ["reject"] * 2
        with pytest.raises(InputError, match="queue is of"):
            store.queue(ANNA, ("all",))


def test_what_is_judged_or_has_no_picture_any_more_does_not_come(tmp_path: Path) -> None:
    """The queue ends when everything is judged."""
    with shift(tmp_path, items=12) as store:
        pictured = {n for n in range(1, 13) if n % 5 == 0 or n % 2}
        assert {item for _, item in asked(store, limit=50)} == pictured
        store.judge(5, "bad", ANNA)
        assert 5 not in {item for _, item in asked(store, limit=50)}
        for path in sorted((tmp_path / "evidence").iterdir())[:3]:
            path.unlink()
        store._oldest = None
        left = {item for _, item in asked(store, limit=50)}
        assert left == pictured - {1, 3, 5}
        for item in left:
            store.judge(item, "good", ANNA)
        assert asked(store) == []


def test_two_reviewers_are_not_given_the_same_item(tmp_path: Path) -> None:
    """For two minutes; then it comes back."""
    with shift(tmp_path) as store:
        first = {task.row.item for task in store.queue(ANNA, limit=5)}
        second = {task.row.item for task in store.queue(BERT, limit=5)}
        assert not first & second
        assert {task.row.item for task in store.queue(ANNA, limit=5)} == first
        store.index.claims.release("anna")
        assert {task.row.item for task in store.queue(BERT, limit=20)} >= first
    now = [0.0]
    claims = Claims(lambda: now[0])
    claims.claim("anna", [1])
    assert claims.of_others("bert") == {1}
    now[0] = CLAIM_S + 1
    assert claims.of_others("bert") == set()


def test_the_bound_moves_with_each_judgement_of_the_sample(tmp_path: Path) -> None:
    """Good lowers it, bad and unsure raise it; what is no drawn pass does not count."""
    with shift(tmp_path, items=60) as store:
        assert store.bound().bound is None
        assert "no pass of the random sample" in store.bound().words
        drawn = [task.row.item for task in store.queue(ANNA, ("sample",), limit=50)]
        assert len(drawn) == store.bound().sampled == 24
        assert store.bound().passes == 48
        assert store.bound().rate == 0.5
        bounds = []
        for item in drawn[:5]:
            store.judge(item, "good", ANNA)
            bounds.append(store.bound().bound or 0)
        assert bounds == sorted(bounds, reverse=True)
        assert bounds[-1] == anytime_bound(0, 5, 0.95, 0.01)
        store.judge(drawn[5], "unsure", ANNA)
        assert store.bound().bound == anytime_bound(1, 6, 0.95, 0.01)
        store.judge(60, "bad", ANNA)  # a reject
        found = store.bound()
        assert (found.judged, found.bad, found.unsure, found.passed_over) == (6, 0, 1, 0)
        assert found.worst_bound == found.bound
        assert (exact_bound(found) or 0) < (found.bound or 0)
        assert running_bound(store.index, confidence=0.99).bound != found.bound


def test_what_a_reviewer_left_behind_counts_as_bad_at_worst(tmp_path: Path) -> None:
    """Choosing what to judge would bend the sample; items that came later were not left."""
    with shift(tmp_path, items=60) as store:
        drawn = [task.row.item for task in store.queue(ANNA, ("sample",), limit=50)]
        for item in drawn[3:6]:
            store.judge(item, "good", ANNA)
        found = store.bound()
        assert (found.judged, found.passed_over) == (3, 3)
        assert found.worst_bound == anytime_bound(3, 6, 0.95, 0.01)
        assert "3 were passed over" in found.words
        more = []
        for number in range(61, 161):
            picture = kept(tmp_path / "evidence", 1000 + number, number, "pass")
            more.append(("item", an_item(number, "pass", 0.9, **picture)))
        write(store.journal, more, second=100)
        store.index.catch_up()
        assert store.bound().passed_over == 3
        assert store.bound().sampled == 124
        for path in sorted((tmp_path / "evidence").iterdir()):
            if int(path.name[:9]) < 1000:
                path.unlink()
        store._oldest = None
        found = store.bound()
        assert (found.passed_over, found.gone) == (0, 3)
        assert "3 more have lost their pictures unjudged" in found.words


@pytest.mark.parametrize("kind", ["start", "release"])
def test_another_model_begins_a_bound_of_its_own(tmp_path: Path, kind: str) -> None:
    """And its own queue of the sample; be it by a start or between two items."""
    with shift(tmp_path, items=20) as store:
        for task in store.queue(ANNA, ("sample",), limit=3):
            store.judge(task.row.item, "good", ANNA)
        start = {
            "what": "in-service",
            "release": "r2",
            "model": {"sha256": "ee" * 32, "file": "n.onnx"},
            "min_score": 0.6,
        }
        picture = kept(tmp_path / "evidence", 500, 21, "pass")
        write(
            store.journal,
            [(kind, start), ("item", an_item(21, "pass", 0.9, **picture))],
            second=60,
        )
        store.index.catch_up()
        assert (store.bound().judged, store.bound().sampled) == (0, 1)
        assert [task.row.item for task in store.queue(ANNA, ("sample",))] == [21]
        assert store.shown(21).basis.threshold == 0.6
        assert store.shown(20).basis.threshold == 0.5


def test_a_picture_is_shown_only_as_it_was_recorded(tmp_path: Path) -> None:
    """Altered, gone, without a sum, and names that lead elsewhere."""
    with shift(tmp_path, items=10) as store:
        picture = store.picture(5)
        assert picture.state == "as recorded"
        assert picture.content is not None
        assert store.picture(2).state == "none"
        assert store.picture(99).state == "none"
        record = store.shown(5).record
        assert record is not None
        folder = tmp_path / "evidence"
        (folder / record["evidence"]).write_bytes(b"\xff\xd8other\xff\xd9")
        assert store.picture(5).state == "altered"
        assert store.picture(5).content is None
        assert picture_of({**record, "evidence_sha256": ""}, folder).state == "no sum"
        (folder / record["evidence"]).unlink()
        assert store.picture(5).state == "gone"
        other = store.shown(10).row.evidence
        for name in (other, "../journal.jsonl", "/etc/passwd", "x/../../y.jpg", "a\0b"):
            assert picture_of({**record, "evidence": name}, folder).state == "foreign"
        assert picture_of(record, None).state == "none"
        link = folder / record["evidence"]
        link.mkdir()
        assert picture_of(record, folder).state == "gone"


def test_boxes_are_those_of_the_record() -> None:
    """A finding and a near miss; a finding without a box has none."""
    boxes = overlay(an_item(1, "pass", 0.9)) + overlay(an_item(2, "reject", 0.3))
    assert [(box.kind, box.label, box.score) for box in boxes] == [
        ("found", "seal", 0.9), ("near miss", "seal", 0.3),
    ]  # fmt: skip
    assert (boxes[0].x0, boxes[0].y1) == (10.0, 90.0)
    assert overlay({"findings": [{"label": "a"}]}) == ()


def test_a_key_of_the_sample_that_is_damaged_is_said(tmp_path: Path) -> None:
    """Not drawn anew in silence."""
    with shift(tmp_path, items=5) as store:
        config = store.config
    (tmp_path / "review" / "sample.key").write_text("short")
    with pytest.raises(InputError, match="key of the random sample"):
        ReviewStore(config)
