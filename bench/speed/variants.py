"""Networks of random weights whose latency is asked: ours as it is, and ours with parts replaced.

A variant says what a change is worth in time, and nothing about what it costs in accuracy: to know
that it must be trained. Nothing here is part of the training.
"""

from collections.abc import Callable
from unittest.mock import patch

import torch
from onnx import ModelProto
from torch import nn

from edge.vision.contract import Contract
from export.to_onnx import to_onnx
from train.network import model
from train.network.checkpoint import Checkpoint
from train.network.model import DenseLocalizer

BACKBONE = "mobilenet_v3_small"
Change = Callable[[DenseLocalizer], DenseLocalizer]


def network(neck: int = model.NECK_CHANNELS, depth: int = model.HEAD_DEPTH) -> DenseLocalizer:
    """Return the network with another width of its neck, or depth of its head."""
    with patch.object(model, "NECK_CHANNELS", neck), patch.object(model, "HEAD_DEPTH", depth):
        return DenseLocalizer(BACKBONE, 1)


def replaced(
    net: DenseLocalizer, kind: Callable[[nn.Module], bool], by: Callable[[nn.Module], nn.Module]
) -> DenseLocalizer:
    """Replace each part of that kind, in place."""
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if kind(child):
                setattr(parent, name, by(child))
    return net


def relu(net: DenseLocalizer) -> DenseLocalizer:
    """ReLU in place of hard-swish: onnxruntime fuses it with a convolution everywhere."""
    return replaced(net, lambda part: isinstance(part, nn.Hardswish), lambda _: nn.ReLU())


def no_squeeze(net: DenseLocalizer) -> DenseLocalizer:
    """No squeeze-and-excite."""
    return replaced(
        net, lambda part: type(part).__name__ == "SqueezeExcitation", lambda _: nn.Identity()
    )


def small_kernels(net: DenseLocalizer) -> DenseLocalizer:
    """Depthwise convolutions of 3 x 3 in place of 5 x 5."""

    def smaller(part: nn.Module) -> nn.Module:
        assert isinstance(part, nn.Conv2d)
        channels, stride = part.in_channels, part.stride[0]
        return nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)

    return replaced(net, lambda p: isinstance(p, nn.Conv2d) and p.kernel_size == (5, 5), smaller)


def separable(net: DenseLocalizer) -> DenseLocalizer:
    """Depthwise and pointwise convolutions in place of those of 3 x 3 in neck and head."""

    def apart(block: nn.Module) -> nn.Sequential:
        width = next(part.out_channels for part in block.modules() if isinstance(part, nn.Conv2d))
        return nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )

    net.smooth8, net.smooth16 = apart(net.smooth8), apart(net.smooth16)
    net.tower = nn.Sequential(*(apart(block) for block in net.tower))
    return net


def coarse_stem(net: DenseLocalizer) -> DenseLocalizer:
    """A first convolution of 6 x 6 with stride 4; the block behind it keeps the size."""
    stem = net.stages[0]
    assert isinstance(stem, nn.Sequential)
    first, block = stem
    assert isinstance(first, nn.Sequential)
    convolution = first[0]
    assert isinstance(convolution, nn.Conv2d)
    first[0] = nn.Conv2d(3, convolution.out_channels, 6, 4, 1, bias=False)
    for part in block.modules():
        if isinstance(part, nn.Conv2d) and part.groups > 1:
            part.stride = (1, 1)
    return net


def lean(net: DenseLocalizer) -> DenseLocalizer:
    """ReLU, no squeeze-and-excite, and small kernels."""
    return small_kernels(no_squeeze(relu(net)))


OURS = "stampgate"
VARIANTS: dict[str, Callable[[], DenseLocalizer]] = {
    OURS: network,
    "ReLU for hard-swish": lambda: relu(network()),
    "no squeeze-and-excite": lambda: no_squeeze(network()),
    "3 x 3 depthwise for 5 x 5": lambda: small_kernels(network()),
    "neck of 48 channels": lambda: network(neck=48),
    "neck of 32 channels": lambda: network(neck=32),
    "one layer in the head": lambda: network(depth=1),
    "separable neck and head": lambda: separable(network()),
    "first convolution with stride 4": lambda: coarse_stem(network()),
    "lean: ReLU, no squeeze, 3 x 3": lambda: lean(network()),
    "lean, neck of 48": lambda: lean(network(neck=48)),
    "lean, neck of 32": lambda: lean(network(neck=32)),
    "lean, separable": lambda: separable(lean(network())),
    "lean, separable, stride 4": lambda: coarse_stem(separable(lean(network()))),
}
"""What is measured, by name; the first is ours as it is trained today."""


class _Untrained(Checkpoint):
    """A checkpoint that gives a network of random weights, for the export."""

    def __init__(self, net: DenseLocalizer) -> None:
        self._net = net

    def network(self) -> DenseLocalizer:
        """Return that network in eval mode."""
        return self._net.eval()


def exported(net: DenseLocalizer, contract: Contract) -> ModelProto:
    """Export *net* as a trained one is, once its batch norms have seen something."""
    net.train()
    with torch.no_grad():
        for _ in range(3):
            net(torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8))
    return to_onnx(_Untrained(net), contract)
