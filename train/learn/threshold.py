"""Choose the score threshold on held-out painted pictures, before any test set is opened."""

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np
from tqdm import tqdm

from edge.vision.two_looks import Network, find
from train.config import RunConfig
from train.network.model import DenseLocalizer, as_network
from train.paint.recipes import lookalikes
from train.paint.synth import Kit, Picture

NEGATIVES = 800
"""Pictures without a mark that the threshold is set on."""
LOWEST, HIGHEST = 0.2, 0.95
"""Bounds of the threshold: below the first a network that has learnt nothing would pass items,
above the last none."""
SEED_OFFSET = 2**32
"""Keeps these pictures' seeds away from those of training."""


def choose_threshold(net: DenseLocalizer, make_kit: Callable[[], Kit], config: RunConfig) -> float:
    """Return the score below which findings are dropped, 0..1.

    It is the split-conformal quantile of the best scores of pictures that hold no mark but do hold
    look-alikes: the ceil((n + 1)(1 - a))-th smallest, where *a* is the rate of false accepts aimed
    at, so that the next such picture is falsely accepted with probability at most *a* (Vovk;
    Angelopoulos and Bates, 2021). The pictures are painted, so this is a setting and no proof:
    proof is made on photographs.
    """
    kit = make_kit()
    bar = tqdm(negatives(kit, config), "threshold", NEGATIVES, unit="picture", mininterval=1.0)
    network = as_network(net)
    scores = np.sort([best_score(network, picture, config) for picture in bar])
    rank = math.ceil((len(scores) + 1) * (1 - config.fit.false_accept_rate))
    return float(np.clip(scores[min(rank, len(scores)) - 1] + 1e-3, LOWEST, HIGHEST))


def negatives(kit: Kit, config: RunConfig) -> Iterator[Picture]:
    """Yield whole frames without a mark but with look-alikes, the hard negatives.

    A run that was trained without look-alikes meets them here too.
    """
    settings = dataclasses.replace(config.synth, lookalikes_max=max(1, config.synth.lookalikes_max))
    for index in range(NEGATIVES):
        rng = np.random.default_rng((SEED_OFFSET + config.fit.seed, index))
        yield lookalikes(rng, kit, settings, index)


def best_score(network: Network, picture: Picture, config: RunConfig) -> float:
    """Return the greatest score of any class in the camera's frame, by the box's own code."""
    findings = find(network, picture.frame, config.two_look_plan, 0.01)
    return max((finding.score for finding in findings), default=0.0)
