"""Initial weights of a run: the starter shipped with stampgate, ImageNet's, or random ones."""

from pathlib import Path

from torch import Tensor

from edge.errors import UsageError
from train.config import RunConfig
from train.learn.starter import load_starter
from train.network.model import DenseLocalizer

STARTER = Path(__file__).with_name("starter.pt")
"""The weights shipped with stampgate; ``train/learn/starter.py`` says how they were made."""


def initial_network(config: RunConfig) -> DenseLocalizer:
    """Return a network with the weights that *config* asks for.

    Raises UsageError or InputError when they cannot be had.
    """
    fit = config.fit
    net = DenseLocalizer(fit.network, len(config.classes), fit.weights == "imagenet")
    if fit.weights == "starter":
        take_starter(net, load_starter(STARTER), fit.network)
    return net


def empty_network(config: RunConfig) -> DenseLocalizer:
    """Return the same network with random weights; nothing is read or downloaded.

    For a checkpoint or the leader's weights to be put into.
    """
    return DenseLocalizer(config.fit.network, len(config.classes))


def take_starter(net: DenseLocalizer, weights: dict[str, Tensor], network: str) -> None:
    """Put the starter's *weights* into *net*, all but the heat's last layer.

    That layer belongs to the classes. *network*: name of the backbone with its width. Raises
    UsageError when the weights are of another one.
    """
    try:
        gaps = net.load_state_dict(weights, strict=False)
        fits = not gaps.unexpected_keys and all(
            name.startswith("heat.") for name in gaps.missing_keys
        )
    except RuntimeError:  # a tensor of another shape
        fits = False
    if not fits:
        raise UsageError(
            f"weights: starter is not made for {network}; take weights = imagenet or none"
        )
