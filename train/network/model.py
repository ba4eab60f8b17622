"""The network: backbone, feature pyramid and one dense anchor-free head at stride 8.

Three stages of a torchvision backbone, a small pyramid, and a head that gives each cell a score for
each class and the four distances to the sides of its box.

Sources: the heat map of centres is Zhou et al., *Objects as Points* (2019); four distances per cell
are Tian et al., *FCOS* (2019); the pyramid is Lin et al., *Feature Pyramid Networks* (2017).
Nothing in it but convolutions, additions, nearest-neighbour doubling and elementwise functions (and
the squeeze-excite means inside MobileNetV3), so any accelerator can take it.

A backbone's last stage, at stride 32, is left out: a mark is a small part of the picture, stride 16
sees 300 pixels far, and without it a MobileNetV3-small trains a fifth faster. Exported, on one
thread, it takes 0.50 of YOLO11n's latency in an Arm board's layout, 0.33 in that of x86
(docs/evidence.md).
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from edge.vision.answers import Floats
from edge.vision.two_looks import Network
from train.network.torchvision_models import backbone

# Mean and deviation of ImageNet's pictures, RGB in 0..1: what torchvision's own weights were
# trained with.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STAGES = 3
NECK_CHANNELS = 64
HEAD_DEPTH = 2
RARE = 0.01
"""Score of the untrained head everywhere, which keeps the first losses small (Lin et al.,
RetinaNet, 2017)."""
MAX_LOG_SIDE = 5.0
"""Greatest log of a side in strides, 148 strides or 1187 pixels; keeps exp() finite."""


def _has_matrix_units() -> bool:
    """Return whether this processor multiplies bfloat16 matrices in hardware (Intel's AMX)."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))


HALVES = _has_matrix_units()
"""Whether the neck and the head train in bfloat16 on the processor. Their dense convolutions then
take a third of the time; the backbone's depthwise ones would take longer, so it stays in float32.
The outputs are always float32."""


def _block(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True))


class DenseLocalizer(nn.Module):
    """Gives each cell of 8 x 8 pixels a score for each class and the distances to a box's sides."""

    def __init__(self, backbone_name: str, classes: int, imagenet: bool = False) -> None:
        """Build it; *classes*: how many; *imagenet*: start from torchvision's own weights."""
        super().__init__()
        self.stages = nn.ModuleList(backbone(backbone_name, imagenet)[:STAGES])
        at4, at8, at16 = self._stage_channels()
        self.from4 = _block(at4, NECK_CHANNELS, stride=2)
        self.from8, self.from16 = (nn.Conv2d(c, NECK_CHANNELS, 1) for c in (at8, at16))
        self.smooth16 = _block(NECK_CHANNELS, NECK_CHANNELS)
        self.smooth8 = _block(NECK_CHANNELS, NECK_CHANNELS)
        self.tower = nn.Sequential(
            *(_block(NECK_CHANNELS, NECK_CHANNELS) for _ in range(HEAD_DEPTH))
        )
        self.heat = nn.Conv2d(NECK_CHANNELS, classes, 1)
        self.sides = nn.Conv2d(NECK_CHANNELS, 4, 1)
        nn.init.constant_(self.heat.bias, -math.log((1 - RARE) / RARE))  # type: ignore[arg-type]
        nn.init.normal_(self.sides.weight, std=0.01)
        nn.init.constant_(self.sides.bias, math.log(2.0))  # type: ignore[arg-type]
        self.gain: Tensor
        self.offset: Tensor
        mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, DEVIATION))
        self.register_buffer("gain", 1 / (255 * deviation), persistent=False)
        self.register_buffer("offset", -mean / deviation, persistent=False)

    def _stage_channels(self) -> list[int]:
        """Return the channels at strides 4, 8 and 16, found by running an empty picture."""
        x, channels = torch.zeros(1, 3, 64, 64), []
        training = self.training
        self.eval()
        with torch.no_grad():
            for stage in self.stages:
                x = stage(x)
                channels.append(x.shape[1])
        self.train(training)
        return channels

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Run a batch of pictures.

        *picture*: (n, height, width, 3) uint8 RGB, sides multiples of 32. Returns the heat's
        logits, (n, classes, height / 8, width / 8), and the sides left, top, right, bottom in
        strides, (n, 4, height / 8, width / 8).
        """
        x = picture.permute(0, 3, 1, 2).float() * self.gain + self.offset
        at4 = self.stages[0](x)
        at8 = self.stages[1](at4)
        at16 = self.stages[2](at8)
        with torch.autocast(
            "cpu", torch.bfloat16, enabled=HALVES and self.training and x.device.type == "cpu"
        ):
            deep = functional.interpolate(self.smooth16(self.from16(at16)), scale_factor=2.0)
            cells = self.tower(self.smooth8(self.from8(at8) + self.from4(at4) + deep))
            heat, sides = self.heat(cells), self.sides(cells)
        return heat.float(), sides.float().clamp(max=MAX_LOG_SIDE).exp()


def as_network(net: DenseLocalizer) -> Network:
    """Return *net* in the form the box's code calls: pictures in, scores and sides out (numpy)."""
    device = next(net.parameters()).device

    @torch.no_grad()
    def network(pictures: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        logits, sides = net(torch.from_numpy(pictures).to(device))
        return torch.sigmoid(logits).cpu().numpy(), sides.cpu().numpy()

    return network
