"""With a plan that is agreed the box runs when shadow has shown it, or by a named person's word."""

import dataclasses
import json
from pathlib import Path
from typing import get_args

import pytest

from edge.__main__ import main
from edge.clock import SimulatedClock
from edge.commands.status import described
from edge.config import load_config
from edge.errors import ConfigError, GateError, JournalError
from edge.gate.client import RemoteGate
from edge.gate.history import read_transitions
from edge.gate.inputs.taken import REASONS, Fate
from edge.gate.messages import Incident
from edge.gate.simulated import SimulatedGate
from edge.rates.anytime import anytime_size
from edge.record.verify import read_records, verify
from edge.record.written import WrittenRecords
from edge.reload import Reload
from edge.sections.service import ServiceSettings
from edge.service import serve
from edge.shadow import clearance, statements
from edge.shadow.clearance import find_clearance
from edge.shadow.observed import read_shadow
from edge.shadow.statements import read_statements, say_truths
from edge.wiring import plan_of
from tests.edge.shadow.days import box, good_days, study_of, write_items
from tests.gate_rig import Rig, rig_settings
from tests.replay.record import prepare_case

BAD, GOOD = anytime_size(0.05, 0, 0.95), anytime_size(0.2, 0, 0.95)


def how(path: Path) -> str:
    """Why the box of these settings may run. Raises ConfigError."""
    config = load_config(path)
    plan = plan_of(config)
    assert plan is not None
    return find_clearance(config, study_of(path), plan).how


def case(folder: Path, mode: str, plan: str = "fa<5% @95%", more: str = "") -> Path:
    """A recorded line in a mode, with a plan."""
    path = prepare_case("mixed", folder)
    text = path.read_text().replace('status = ""', 'status = ""\nmark = ""')
    path.write_text(
        f'{text}\n[service]\nmode = "{mode}"\n[shadow]\nplan = "{plan}"\nlog = "said.jsonl"\n{more}'
    )
    return path


def test_a_recorded_line_in_shadow_is_judged_and_nothing_is_thrown(tmp_path: Path) -> None:
    """The verdicts are those of run; the reject line has no edge but that of its request."""
    serve(load_config(case(tmp_path / "shadow", "shadow")), SimulatedClock())
    serve(load_config(prepare_case("mixed", tmp_path / "run")), SimulatedClock())
    verdicts = {}
    for mode in ("shadow", "run"):
        records = read_records(tmp_path / mode / "journal.jsonl")
        items = [record for record in records if record["kind"] == "item"]
        verdicts[mode] = [(item["verdict"], item["code"], item["gate"]) for item in items]
        assert {item.get("mode", "run") for item in items} == {mode}
    assert verdicts["shadow"] == verdicts["run"]
    assert {verdict for verdict, _, _ in verdicts["shadow"]} == {"pass", "reject", "fault"}
    edges = read_transitions(tmp_path / "shadow" / "edges.jsonl")
    assert [(edge.line, edge.level) for edge in edges if edge.line == "reject"] == [("reject", 0)]
    start = read_records(tmp_path / "shadow" / "journal.jsonl")[0]
    assert (start["mode"], start["plan"]) == ("shadow", "fa<5% @95%")
    assert start["study"] == study_of(tmp_path / "shadow" / "edge.toml")


def test_run_is_refused_until_the_plan_is_shown_and_then_is_not_asked_again(
    tmp_path: Path,
) -> None:
    """One line that says what is missing; the clearance is written down, and read the next time."""
    path = box(tmp_path, mode="run")
    write_items(path, good_days(GOOD, BAD - 1))
    with pytest.raises(ConfigError) as refused:
        how(path)
    said = str(refused.value)
    assert refused.value.exit_code == 78
    assert 'mode "run" is refused: plan fa<5% fr<20% @95% must be shown' in said
    assert "false accepts below 5 % needs at least 1 more items without the stamp" in said
    assert "shadow override --by NAME" in said
    write_items(path, good_days(0, 1))
    assert how(path) == "shown"
    assert list(read_statements(load_config(path)).clearances) == [study_of(path)]
    size = (tmp_path / "shadow.jsonl").stat().st_size
    assert how(path) == "shown"
    assert (tmp_path / "shadow.jsonl").stat().st_size == size


def test_a_clearance_is_no_longer_taken_at_its_word_once_something_has_come(tmp_path: Path) -> None:
    """A truth that says otherwise, or items in shadow that went wrong."""
    path = box(tmp_path, mode="run")
    config = write_items(path, good_days(GOOD, BAD))
    assert how(path) == "shown"
    say_truths(config, {1: "bad", 2: "bad"}, "Ada", "shift.csv", corrects=2)
    with pytest.raises(ConfigError, match="is refused"):
        how(path)
    say_truths(config, {1: "good", 2: "good"}, "Ada", "again.csv", corrects=2)
    assert how(path) == "shown"
    write_items(path, [("pass", "good")] * 5, mode="run")
    assert how(path) == "shown"
    write_items(path, [("pass", "bad")] * 3)
    with pytest.raises(ConfigError, match="is refused"):
        how(path)


@pytest.mark.parametrize("change", ["[decision]\nmin_score = 0.7\n", "[camera]\nflip = 'none'\n"])
def test_changed_rules_start_anew(tmp_path: Path, change: str) -> None:
    """What changes no verdict changes nothing."""
    write_items(box(tmp_path, mode="run"), good_days(GOOD, BAD))
    path = box(tmp_path, mode="run", more=change)
    if "decision" in change:
        with pytest.raises(ConfigError, match="needs at least"):
            how(path)
    else:
        assert how(path) == "shown"


def test_the_service_refuses_before_anything_is_driven_and_runs_by_an_override(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 78; afterwards journal, log and start record say who, and why."""
    path = case(tmp_path, "run")
    assert main(["run", "--config", str(path)]) == 78
    assert 'mode "run" is refused' in capsys.readouterr().err
    assert not (tmp_path / "edges.jsonl").exists()
    call = ["shadow", "override", "--config", str(path), "--by", "Ada Line"]
    assert main([*call, "--reason", "the customer waits"]) == 0
    assert "overridden by Ada Line: false accepts below 5 % needs" in capsys.readouterr().out
    serve(load_config(path), SimulatedClock())
    start = read_records(tmp_path / "journal.jsonl")[0]
    assert start["cleared"] == {
        "how": "override",
        "by": "Ada Line",
        "reason": "the customer waits",
    }
    said = read_records(tmp_path / "said.jsonl")
    assert [(r["kind"], r["by"], r["reason"]) for r in said] == [
        ("override", "Ada Line", "the customer waits")
    ]
    verify(tmp_path / "said.jsonl")
    assert main(["verify-log", str(tmp_path / "said.jsonl")]) == 0


def test_without_a_plan_nothing_is_asked_and_nothing_is_written(tmp_path: Path) -> None:
    """As before shadow mode."""
    serve(load_config(case(tmp_path, "run", plan="")), SimulatedClock())
    assert not (tmp_path / "said.jsonl").exists()
    assert "mode" not in read_records(tmp_path / "journal.jsonl")[0]


def test_a_log_that_was_changed_clears_nobody(tmp_path: Path) -> None:
    """A name that is written over is found by the chain."""
    path = box(tmp_path, mode="run")
    call = ["shadow", "override", "--config", str(path), "--by", "Ada", "--reason", "it is late"]
    assert main(call) == 0
    assert main(call) == 0
    log = tmp_path / "shadow.jsonl"
    log.write_text(log.read_text().replace("Ada", "Eve", 1))
    with pytest.raises(ConfigError, match="what was said cannot be read"):
        how(path)


@pytest.mark.parametrize(
    "call",
    [
        ["override", "--by", "Ada"],
        ["override", "--by", "", "--reason", "x"],
        ["override", "--reason", "x"],
        ["truth", "x.csv"],
    ],
)
def test_nobody_says_anything_without_a_name_and_a_reason(
    tmp_path: Path, call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and nothing is written."""
    path = box(tmp_path)
    with pytest.raises(SystemExit) as refused:
        main(["shadow", *call, "--config", str(path)])
    assert refused.value.code == 2
    assert capsys.readouterr().err
    assert not (tmp_path / "shadow.jsonl").exists()


def test_the_command_takes_truths_and_reports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 3 while the plan is not shown, 0 once it is; --since beside the whole, and as JSON."""
    path = box(tmp_path)
    write_items(path, [("pass", "")] * GOOD + [("reject", "")] * BAD)
    assert main(["shadow", "--config", str(path)]) == 3
    assert "the plan is not shown yet" in capsys.readouterr().out
    file = tmp_path / "shift.csv"
    lines = [f"{n},{'good' if n <= GOOD else 'bad'}" for n in range(1, GOOD + BAD + 1)]
    file.write_text("sequence,truth\n" + "\n".join(lines) + "\n")
    call = ["shadow", "truth", str(file), "--by", "Ada", "--config", str(path)]
    assert main(call) == 0
    assert f"taken: {GOOD + BAD} items, {GOOD} good and {BAD} bad" in capsys.readouterr().out
    assert main(call) == 0
    assert f"{GOOD + BAD} repeat what was said before" in capsys.readouterr().out
    said = read_records(tmp_path / "shadow.jsonl")
    assert [(r["kind"], r["by"], r["source"]) for r in said] == [("truth", "Ada", "shift.csv")]
    assert main(["shadow", "--since", str(GOOD + 1), "--config", str(path)]) == 0
    shown = capsys.readouterr().out
    assert f"since then: {BAD} items judged in shadow, {BAD} with a known truth" in shown
    assert f"{GOOD + BAD} items judged in shadow" in shown
    assert main(["shadow", "--json", "--config", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rates"]["fa"]["items"], found["shown"], found["censored"]) == (BAD, True, False)


def test_while_it_runs_by_a_plan_no_reload_begins_a_new_study(tmp_path: Path) -> None:
    """Eye and gate read by the same function; in shadow, and without a plan, a reload is taken."""
    for mode, plan, taken in (
        ("run", "fa<5%", False),
        ("run", "", True),
        ("shadow", "fa<5%", True),
    ):
        path = box(tmp_path, plan=plan, mode=mode)
        reload = Reload(load_config(path))
        path.write_text(f"{path.read_text()}[decision]\nmin_score = 0.75\n")
        if taken:
            assert reload.read().decision.min_score == 0.75
        else:
            with pytest.raises(ConfigError, match=r"\[decision\] min_score: needs a restart"):
                reload.read()
        path.write_text(
            f"{box(tmp_path, plan=plan, mode=mode).read_text()}[gate]\npulse_ms = 9.0\n"
        )
        assert reload.read().gate.pulse_ms == 9.0


def test_no_reload_changes_the_mode(tmp_path: Path) -> None:
    """Neither way: the file is refused whole."""
    for mode, other in (("run", "shadow"), ("shadow", "run")):
        reload = Reload(load_config(box(tmp_path, mode=mode)))
        box(tmp_path, mode=other)
        with pytest.raises(ConfigError, match=r"\[service\] mode: needs a restart"):
            reload.read()


def test_the_status_says_that_nothing_is_thrown_and_who_overrode_the_plan() -> None:
    """Beside the state; in plain run there is no such line."""
    status = {"state": "running", "process": [1, 1], "written_ns": 0, "mode": "shadow"}
    assert "mode            shadow: everything is judged, and nothing is thrown off" in described(
        status
    )
    by = {"how": "override", "by": "Ada", "reason": "it is late"}
    lines = described({**status, "mode": "run", "cleared": by})
    assert "below its plan  by override of Ada: it is late" in lines
    assert not any(line.startswith("mode") for line in lines)


def test_of_truths_in_several_records_none_counts_before_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the power goes in between; what is said again then counts."""
    monkeypatch.setattr(statements, "RANGES_AT_ONCE", 2)
    config = load_config(box(tmp_path))
    truths = {item: "bad" if item % 2 else "good" for item in range(1, 11)}
    say_truths(config, truths, "Ada", "shift.csv")
    assert read_statements(config).truths == truths
    log = tmp_path / "shadow.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    assert len(lines) == 5
    log.write_text("".join(lines[:-1]))
    assert read_statements(config).truths == {}
    say_truths(config, {2: "bad"}, "Ada", "again.csv")
    assert read_statements(config).truths == {2: "bad"}


def test_a_report_that_may_not_write_reports_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clearance is found again at the next start."""
    path = box(tmp_path)
    write_items(path, good_days(GOOD, BAD))

    def refuse(*_: object) -> None:
        raise JournalError("shadow.jsonl: the journal cannot be opened")

    monkeypatch.setattr(clearance, "say_clearance", refuse)
    assert main(["shadow", "--config", str(path)]) == 0
    assert "the plan is shown" in capsys.readouterr().out
    assert how(box(tmp_path, mode="run")) == "shown"


def test_what_the_photo_eye_tells_is_a_truth_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the item, counts, and is no incident; the gate's acknowledgement finds it again."""
    told = [Incident(n, what, n, 5, REASONS[what]) for n, what in enumerate(get_args(Fate), 1)]
    monkeypatch.setattr(SimulatedGate, "incidents", lambda _: [told.pop()] if told else [])
    facts = {"run": "7-7"}
    monkeypatch.setattr(SimulatedGate, "facts", facts)
    config = load_config(case(tmp_path, "shadow"))
    serve(config, SimulatedClock())
    records = read_records(tmp_path / "journal.jsonl")
    truths = {r["tag"]: (r["truth"], r["by"]) for r in records if r["kind"] == "truth"}
    assert truths == {n: (t, "photo-eye") for n, t in ((1, "bad"), (2, "good"), (3, "unclear"))}
    assert not [record for record in records if record["kind"] == "incident"]
    written = WrittenRecords(tmp_path / "journal.jsonl")
    assert all(written.holds_incident("7-7", number) for number in (1, 2, 3))
    assert not written.holds_incident("7-7", 4)
    assert [read_shadow(config).items[n].by_eye for n in (1, 2, 3)] == ["bad", "good", "unclear"]


@pytest.mark.parametrize("mode", ["run", "shadow"])
def test_the_eye_s_end_of_the_wire_is_refused_by_a_gate_of_the_other_mode(
    tmp_path: Path, mode: str
) -> None:
    """On real sockets: both are told to be restarted; one of the same mode is taken."""
    config = rig_settings(tmp_path)
    config = dataclasses.replace(config, service=ServiceSettings(mode=mode))
    other = {"run": "shadow", "shadow": "run"}[mode]
    with Rig(config) as rig:
        with (
            pytest.raises(GateError, match=rf"mode is '{mode}' at the gate, not '{other}'"),
            RemoteGate(rig.socket, "photo-eye", rig.clock, mode=other),
        ):
            pass
        with RemoteGate(rig.socket, "photo-eye", rig.clock, mode=mode) as gate:
            gate.check()
            assert gate.facts["refused"] == 1
