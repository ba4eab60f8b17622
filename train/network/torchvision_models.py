"""torchvision's backbones, also where its compiled operators do not load.

A torchvision wheel built for CUDA beside a CPU build of torch cannot load its compiled library, and
then even ``import torchvision`` fails, because it registers fake kernels for two operators nobody
has defined. Defining their schemas first heals the import. We use its models only; no compiled
operator of it is on our path.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from edge.errors import InputError, UsageError


def _import_models() -> Any:
    try:
        from torchvision import models  # noqa: PLC0415 - a second try follows
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for schema in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{schema}",
                "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
            )
        from torchvision import models  # noqa: PLC0415 - the second try
    return models


models = _import_models()

Stages = tuple[nn.Module, nn.Module, nn.Module, nn.Module]
"""Four parts run one after the other, whose outputs lie at strides 4, 8, 16 and 32."""


Build = Callable[[str | None, float], Stages]


def _mobilenet_v3_small(weights: str | None, width: float) -> Stages:
    features = models.mobilenet_v3_small(weights=weights, width_mult=width).features
    return features[:2], features[2:4], features[4:9], features[9:12]


def _mobilenet_v3_large(weights: str | None, width: float) -> Stages:
    features = models.mobilenet_v3_large(weights=weights, width_mult=width).features
    return features[:4], features[4:7], features[7:13], features[13:16]


def _mobilenet_v2(weights: str | None, width: float) -> Stages:
    features = models.mobilenet_v2(weights=weights, width_mult=width).features
    return features[:4], features[4:7], features[7:14], features[14:18]


def _resnet(name: str) -> Build:
    def build(weights: str | None, width: float) -> Stages:
        if width != 1.0:
            raise UsageError(
                f"width: {name} comes in width 1 only, not {width:g}; "
                "leave it out or take a MobileNet"
            )
        net = getattr(models, name)(weights=weights)
        stem = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool, net.layer1)
        return stem, net.layer2, net.layer3, net.layer4

    return build


_BUILDERS: dict[str, Build] = {
    "mobilenet_v3_small": _mobilenet_v3_small,
    "mobilenet_v3_large": _mobilenet_v3_large,
    "mobilenet_v2": _mobilenet_v2,
    "resnet18": _resnet("resnet18"),
    "resnet34": _resnet("resnet34"),
    "resnet50": _resnet("resnet50"),
}


def backbone(name: str, imagenet: bool = False) -> Stages:
    """Return the stages of a torchvision backbone.

    *name*: a key of :data:`train.config.BACKBONES`, with a colon and its width where that is not 1
    (:attr:`train.config.FitSettings.network`); *imagenet*: start from torchvision's own weights,
    which it downloads. Raises UsageError when the backbone does not come in that width, InputError
    when the weights cannot be had.
    """
    plain, _, width = name.partition(":")
    times = float(width or 1.0)
    if not imagenet:
        return _BUILDERS[plain](None, times)
    if times != 1.0:
        raise UsageError(
            f"weights: imagenet has {plain} in width 1 only, not {times:g}; take weights = none"
        )
    try:
        return _BUILDERS[plain]("DEFAULT", times)
    except (OSError, RuntimeError) as error:  # no net, or a download unlike its checksum
        raise InputError(
            f"weights: torchvision's {plain} could not be downloaded ({error}); "
            "try again, or take weights = none"
        ) from None
