"""Write a study's report: ``proof.html``, ``proof.json``, and a PDF where there is a browser."""

import dataclasses
import json
import shlex
import shutil
import sys
from typing import Any

from edge import __version__
from edge.files import atomic_replace, read_bounded, write_atomic
from edge.printing import printable
from edge.vision.legend import LEGEND
from edge.vision.proof_summary import VERSION, ProofSummary
from train.file_sums import file_sum
from train.learn.environment import processor
from train.pages.page import percent, render, write_page
from train.pages.pdf import print_pdf
from train.proof import figures, results, words
from train.proof.freeze import DONE, MOST_BYTES, NAME, Study
from train.proof.model_card import card_rows
from train.proof.results import look_alike_rows, shown_percent
from train.proof.study import Evidence

PAGE, PDF = "proof.html", "proof.pdf"
FORMAT = 1
RECALL = 0.95
"""Recall that robustness is measured against where nothing is claimed of false rejects."""
MOST_LISTED = 200
"""Most names of pictures in one list of the page; ``proof.json`` has all."""


def write_report(evidence: Evidence) -> str:
    """Write the report into the study's folder, and as the newest one beside it.

    Returns why there is no PDF, empty when there is one. ``proof.json`` is written last: a study
    that has one is done. Raises InputError.
    """
    folder, out = evidence.study.folder, evidence.given.out
    write_page(folder / PAGE, page_of(evidence))
    why = print_pdf(folder / PAGE, folder / PDF)
    write_atomic(folder / DONE, json.dumps(proof_object(evidence), indent=1).encode())
    for name in (PAGE, PDF, DONE):
        if name == PDF and why:
            (out / name).unlink(missing_ok=True)
            continue
        with atomic_replace(out / name) as temporary:
            shutil.copyfile(folder / name, temporary)
    return why


def summary_of(evidence: Evidence) -> ProofSummary:
    """Return the summary that travels in the model's file, without the sum of ``proof.json``."""
    freeze = evidence.study.freeze
    return ProofSummary(
        version=VERSION,
        decision_digest=freeze.decision_digest,
        model_sha256=freeze.model_sha256,
        stage=evidence.stage,
        study=freeze.study,
        date=freeze.frozen_at,
        plan=freeze.plan,
        result=evidence.results.result,
        words=words.summary_words(evidence),
        proof_sha256="",
    )


def proof_object(evidence: Evidence) -> dict[str, Any]:
    """Return all figures of a proof as JSON has them; what was not measured is null."""
    return {
        "format": FORMAT,
        "stampgate": __version__,
        "stage": evidence.stage,
        "summary": dataclasses.asdict(summary_of(evidence)),
        "freeze": dataclasses.asdict(evidence.study.freeze),
        "freeze_sha256": file_sum(evidence.study.folder / NAME),
        "results": results.as_object(evidence.results),
        "marked": words.marks_against(evidence),
        "not_shown": words.not_shown(evidence),
        "input_space": words.input_space(evidence),
        "intended_use": evidence.given.intended,
        "items": [
            {
                "item": item.name,
                "role": item.role,
                "pictures": [frame.answer.picture.name for frame in item.frames],
                "score": item.score,
                "wrong": item.wrong,
            }
            for item in evidence.results.items
        ],
        "robustness": [dataclasses.asdict(one) for one in evidence.swept],
        "determinism": dataclasses.asdict(evidence.determinism),
        "latency": words.latency(evidence),
        "processor": processor(),
        "model_card": card_rows(evidence.model, evidence.run, evidence.met),
        "studies": [study_row(study) for study in evidence.others],
        "command": ["stampgate", *sys.argv[1:]],
    }


def page_of(evidence: Evidence) -> str:
    """Return the page of a proof."""
    found, freeze = evidence.results, evidence.study.freeze
    recall = 1 - limit if (limit := found.plan.limit("fr")) else RECALL
    return render(
        "proof.html",
        evidence=evidence,
        freeze=freeze,
        frozen=words.moment(freeze.frozen_at),
        freeze_sha256=file_sum(evidence.study.folder / NAME),
        plan=found.plan,
        results=found,
        headline=words.headline(evidence),
        tone={results.SHOWN: "good", results.NOT_SHOWN: "bad"}.get(found.result, "open"),
        claims=words.claims(evidence),
        claim_rows=[claim_row(one) for one in found.claims],
        marked=words.marks_against(evidence),
        not_shown=words.not_shown(evidence),
        joint=1 - len(found.claims) * (1 - found.plan.confidence),
        input_space=words.input_space(evidence),
        score_charts=figures.score_charts(found, evidence.threshold),
        recall=recall,
        claimed=limit is not None,
        sweep_charts=figures.sweep_charts(evidence.swept, recall),
        swept=evidence.swept,
        look_alikes=[_look_alike(*row) for row in look_alike_rows(found)],
        galleries=figures.galleries(evidence),
        nearest=figures.nearest(evidence),
        legend=[(f"rgb{colour}", told) for colour, told in LEGEND.values()],
        economics=words.economics(evidence),
        latency=words.latency(evidence),
        processor=processor(),
        card=card_rows(evidence.model, evidence.run, evidence.met),
        marks=figures.mark_pictures(evidence.run),
        stages=words.STAGES,
        next_stage=words.next_stage(evidence),
        others=[study_row(study) for study in evidence.others],
        met=[(a.picture.key, a.why) for a in found.met[:MOST_LISTED]],
        again=[(a.picture.key, a.why) for a in found.again[:MOST_LISTED]],
        unread=[(a.picture.key, a.why) for a in found.unread[:MOST_LISTED]],
        ignored=len(found.ignored),
        most_listed=MOST_LISTED,
        command=shlex.join(["stampgate", *sys.argv[1:]]),
    )


def claim_row(one: results.ClaimResult) -> dict[str, str]:
    """Return a claim as a row of the table."""
    measured = one.bound is not None
    return {
        "claim": one.claim.words,
        "errors": f"{one.rate.errors} of {one.rate.items}" if measured else percent(None),
        "rate": percent(one.rate.share),
        "bound": shown_percent(one.bound) if one.bound is not None else percent(None),
        "result": one.result,
    }


def _look_alike(kind: str, rate: Any, score: float) -> dict[str, str]:
    return {"kind": kind, "passed": f"{rate.errors} of {rate.items}", "score": f"{score:.3f}"}


def study_row(study: Study) -> dict[str, str]:
    """Return another study of the folder as a row: number, time, pictures, what came of it."""
    freeze = study.freeze
    row = {
        "study": str(freeze.study),
        "frozen_at": words.moment(freeze.frozen_at),
        "pictures": str(len(freeze.pictures)),
        "plan": freeze.plan,
        "result": "unfinished",
    }
    if study.done:
        try:
            raw = json.loads(read_bounded(study.folder / DONE, MOST_BYTES))
            row["result"] = printable(raw["summary"]["words"])
        except (OSError, ValueError, KeyError, TypeError):
            row["result"] = "its proof.json cannot be read"
    return row


def report_lines(evidence: Evidence, why: str) -> list[str]:
    """Return what is printed at the end of a study; *why*: there is no PDF."""
    out = evidence.given.out
    lines = [words.headline(evidence), *words.claims(evidence), *words.marks_against(evidence)]
    lines += [f"stage: {evidence.stage}; {words.next_stage(evidence)[0]}"]
    names = [PAGE, *([] if why else [PDF]), DONE]
    lines.append(f"written: {', '.join(str(out / name) for name in names)}")
    if why:
        lines.append(why)
    lines.append(
        f"next: look at {out / PAGE}, then 'stampgate export {evidence.given.model} --proof {out} "
        "--out PROVEN.onnx'"
    )
    return lines
