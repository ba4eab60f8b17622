"""Latency of networks side by side: three stretches of the way, in each layout, on one thread."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import cv2

from bench.layouts import Entries, layouts, that_counts
from bench.peers.timing import Times, interleaved, medians, ratio
from bench.peers.yolo import Yolo, as_input
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame, prepare
from train.judge.contender import Detector

GRAPH, PREPARED, WHOLE = "graph_ms", "prepared_to_answer_ms", "picture_to_boxes_ms"
WHOLE_SHARE = 4
"""The stretch from photograph to boxes takes that part of the rounds."""
AIMED_PEER = "YOLO26n"
AIMS = {GRAPH: 0.25, WHOLE: 0.35}
"""The most that ours should take, in times of :data:`AIMED_PEER`, in the layout that counts."""
Opened = tuple[Detector, float]
"""A detector, and the score from which it would be used."""
Latency = Mapping[str, Mapping[str, Times]]
"""Milliseconds by layout and stretch."""


def measure(
    opener: Callable[[Entries], Mapping[str, Opened]],
    frames: Sequence[Frame],
    size: int,
    rounds: int,
) -> Latency:
    """Time all detectors in each layout; *opener* opens them for one layout's entries.

    *size*: input side of the networks, pixels.
    """
    cv2.setNumThreads(1)
    return {
        name: _stretches(opener(entries), frames, size, rounds)
        for name, entries in layouts().items()
    }


def _stretches(
    detectors: Mapping[str, Opened], frames: Sequence[Frame], size: int, rounds: int
) -> dict[str, Times]:
    """Time the graphs alone, from a prepared picture, from a photograph to boxes."""
    pictures = [prepare(frame, size, size)[0] for frame in frames]
    graphs: dict[str, Callable[[int], object]] = {}
    prepared: dict[str, Callable[[int], object]] = {}
    wholes: dict[str, Callable[[int], object]] = {}
    for name, (detector, least) in detectors.items():
        # From the score that it would be used with, so that reading boxes off costs what it does in
        # use.
        wholes[name] = partial(_find, detector, frames, least)
        if isinstance(detector, Localizer | Yolo):
            inputs = [_input(detector, picture) for picture in pictures]
            graphs[name] = partial(_run, detector, inputs)
            prepared[name] = partial(_answer, detector, pictures)
    return {
        GRAPH: interleaved(graphs, rounds),
        PREPARED: interleaved(prepared, rounds),
        WHOLE: interleaved(wholes, max(1, rounds // WHOLE_SHARE)),
    }


def _input(detector: Localizer | Yolo, picture: Frame) -> Any:
    """Return the graph's input: YOLO's wants floats, divided and channels first; ours uint8."""
    return as_input(picture) if isinstance(detector, Yolo) else picture[None]


def _run(detector: Localizer | Yolo, inputs: Sequence[Any], number: int) -> object:
    given = inputs[number % len(inputs)]
    return detector.raw(given) if isinstance(detector, Yolo) else detector.infer(given)


def _answer(detector: Localizer | Yolo, pictures: Sequence[Frame], number: int) -> object:
    return _run(detector, [_input(detector, pictures[number % len(pictures)])], 0)


def _find(detector: Detector, frames: Sequence[Frame], score: float, number: int) -> object:
    return detector.find(frames[number % len(frames)], score)


def lines(latency: Latency, ours: Sequence[str], peers: Sequence[str]) -> list[str]:
    """Say it in words: medians of every stretch, then the ratios of ours to each peer's."""
    said = []
    for layout, stretches in latency.items():
        for stretch, times in stretches.items():
            found = ", ".join(f"{name} {ms:.2f}" for name, ms in medians(times).items())
            said.append(f"{layout}, {stretch}: {found}")
            for name in ours:
                against = [f"{ratio(times, name, peer)} of {peer}" for peer in peers]
                said.append(f"  {name}: " + ", ".join(against))
    counts = latency[that_counts(latency)]
    for stretch, aim in AIMS.items():
        for name in ours if AIMED_PEER in peers else ():
            share = ratio(counts[stretch], name, AIMED_PEER).median
            met = "met" if share <= aim else "missed"
            said.append(
                f"{name}, {stretch}, {that_counts(latency)}: {share:.3f} of {AIMED_PEER}, "
                f"aim {aim:g}: {met}"
            )
    return said


def as_object(
    latency: Latency, ours: Sequence[str], peers: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """For JSON: medians, and the median ratio of ours to each peer's with its quartiles."""
    return {
        layout: {
            stretch: {
                "median_ms": medians(times),
                "ratio": {
                    name: {
                        peer: [r.median, r.lower, r.upper]
                        for peer in peers
                        for r in [ratio(times, name, peer)]
                    }
                    for name in ours
                },
            }
            for stretch, times in stretches.items()
        }
        for layout, stretches in latency.items()
    }
