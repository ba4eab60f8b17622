import pytest
import torch

from train.config import BACKBONES
from train.network.model import DenseLocalizer
from train.network.torchvision_models import backbone


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_answers_at_stride_eight(name: str) -> None:
    """With any backbone, the output has one cell for 8 x 8 pixels and positive sides."""
    net = DenseLocalizer(name, 3).eval()
    picture = torch.randint(0, 255, (2, 96, 128, 3), dtype=torch.uint8)
    with torch.no_grad():
        heat, sides = net(picture)
    assert heat.shape == (2, 3, 12, 16)
    assert sides.shape == (2, 4, 12, 16)
    assert (sides > 0).all()
    assert torch.isfinite(sides).all()


@pytest.mark.parametrize("name", BACKBONES)
def test_the_stages_of_a_backbone_lie_at_strides_4_8_16_and_32(name: str) -> None:
    """The pyramid doubles and adds them, which only fits when they halve each time."""
    x = torch.zeros(1, 3, 64, 64)
    sides = []
    for stage in backbone(name):
        x = stage.eval()(x)
        sides.append(x.shape[-1])
    assert sides == [16, 8, 4, 2]


def test_an_untrained_network_claims_next_to_nothing() -> None:
    """Marks are rare: starting from one half everywhere would drown the first steps."""
    net = DenseLocalizer("mobilenet_v3_small", 2).eval()
    with torch.no_grad():
        heat, _ = net(torch.zeros(1, 64, 64, 3, dtype=torch.uint8))
    assert torch.sigmoid(heat).max() < 0.2
