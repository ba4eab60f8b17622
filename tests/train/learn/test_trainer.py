import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from edge.errors import ConfigError, InputError, UsageError
from edge.settings import read_section
from tests.quick_run import config_in
from train.config import FitSettings, RunConfig
from train.learn import initial_weights as initial
from train.learn.dataset import Batch, load_batches
from train.learn.precision import Precision, best_dtype, choose_precision
from train.learn.trainer import Trainer, frozen_stages, learning_rate, take_step, train_step
from train.network import model as network
from train.network import torchvision_models
from train.network.model import DenseLocalizer
from train.network.torchvision_models import backbone
from train.paint.inputs import read_inputs


@pytest.fixture
def config(tmp_path: Path) -> RunConfig:
    """A tiny run."""
    return config_in(tmp_path)


def batches(config: RunConfig) -> Iterator[Batch]:
    """Return its batches."""
    return load_batches(read_inputs(config).kit, config.fit, 1, 0)


def with_fit(config: RunConfig, **changes: object) -> RunConfig:
    """Return the same run with other settings."""
    return dataclasses.replace(config, fit=dataclasses.replace(config.fit, **changes))  # type: ignore[arg-type]


def test_the_step_size_rises_then_falls(config: RunConfig) -> None:
    """Warm-up, top, and a hundredth at the end."""
    top, warm = config.fit.learning_rate, config.fit.warmup_share
    sizes = [learning_rate(config, share) for share in (0.0, warm, 0.5, 1.0)]
    assert sizes[1] == pytest.approx(top)
    assert sizes[0] < 0.05 * top
    assert 0.4 * top < sizes[2] < 0.6 * top
    assert sizes[3] == pytest.approx(0.01 * top)


def test_a_diverging_run_ends_with_a_reason(config: RunConfig) -> None:
    """A loss that is no number would only spoil the checkpoint."""
    trainer = Trainer.fresh(config)
    with torch.no_grad():
        trainer.net.heat.weight.fill_(float("nan"))
    with pytest.raises(InputError, match="lower learning_rate"):
        train_step(trainer, config, next(batches(config)), 0.5)


def test_frozen_stages_do_not_move_until_they_are_freed(config: RunConfig) -> None:
    """Neither weights nor batch norm statistics, in no replica; the rest learns at once."""
    config = with_fit(config, freeze_stages=2, unfreeze_share=0.5, threads=2, batch=4)
    trainer, source = Trainer.fresh(config), batches(config)

    def moved(share: float) -> set[str]:
        before = {name: value.clone() for name, value in trainer.net.state_dict().items()}
        train_step(trainer, config, next(source), share)
        after = trainer.net.state_dict()
        return {
            name.rpartition(".")[0] for name in before if not torch.equal(before[name], after[name])
        }

    def of_stage(names: set[str], number: int) -> set[str]:
        return {name for name in names if name.startswith(f"stages.{number}.")}

    early, later = moved(0.2), moved(0.6)
    assert of_stage(early, 0) | of_stage(early, 1) == set()
    assert of_stage(early, 2)
    assert "heat" in early
    assert of_stage(later, 0)
    assert of_stage(later, 1)
    assert [frozen_stages(config.fit, share) for share in (0.0, 0.49, 0.5, 1.0)] == [2, 2, 0, 0]


def test_training_in_sixteen_bits_comes_to_about_the_same(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A processor stands in for a GPU, and calculates in bfloat16."""
    monkeypatch.setattr(
        network, "HALVES", True
    )  # else the neck would insist on float32 on this processor
    told = []
    for dtype in (torch.float32, torch.bfloat16):
        trainer = Trainer.fresh(config)
        trainer = dataclasses.replace(trainer, precision=Precision.on(torch.device("cpu"), dtype))
        told.append(take_step(trainer, config.fit, next(batches(config)), 1e-3))
        assert all(p.dtype == torch.float32 for p in trainer.net.parameters())
        torch.manual_seed(config.fit.seed)
    assert told[1] == pytest.approx(told[0], rel=0.3)
    assert told[1] != told[0]


def test_a_step_whose_gradients_overflow_is_left_out_and_the_scale_lowered(
    config: RunConfig,
) -> None:
    """The float16 way: the loss is scaled up, gradients scaled back before they are clipped."""
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    trainer = Trainer.fresh(config)
    trainer = dataclasses.replace(
        trainer, precision=Precision(torch.device("cpu"), torch.float32, scaler)
    )
    before = [p.detach().clone() for p in trainer.net.parameters()]
    source = batches(config)
    losses = take_step(trainer, config.fit, next(source), 1e-3)
    assert losses[0] < 100.0
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.net.parameters(), strict=True))
    assert scaler.get_scale() == 2.0**126
    kept = trainer.checkpoint(config, None)
    assert kept.scaler["scale"] == 2.0**126
    scaler.update(new_scale=1024.0)
    take_step(trainer, config.fit, next(source), 1e-3)
    assert not all(torch.equal(a, b) for a, b in zip(before, trainer.net.parameters(), strict=True))


def test_sixteen_bits_without_a_gpu_are_refused() -> None:
    """The processor's own way is in the network; auto finds it."""
    assert choose_precision("auto", torch.device("cpu")).dtype == torch.float32
    with pytest.raises(UsageError, match="needs a GPU"):
        choose_precision("float16", torch.device("cpu"))


@pytest.mark.parametrize(
    ("capability", "dtype"),
    [((9, 0), torch.bfloat16), ((7, 5), torch.float16), ((6, 1), torch.float32)],
)
def test_auto_takes_the_best_that_a_gpu_has(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], dtype: torch.dtype
) -> None:
    """An H100, a T4 and a GTX 1080; no GPU is needed to know."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert best_dtype(torch.device("cuda", 0)) == dtype


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"])
def test_a_mobilenet_comes_in_any_width(name: str) -> None:
    """Half as wide has about a quarter of the weights and answers on the same grid."""
    weights = [
        sum(p.numel() for stage in backbone(full) for p in stage.parameters())
        for full in (name, f"{name}:0.5")
    ]
    assert 0.2 < weights[1] / weights[0] < 0.4
    heat, _ = DenseLocalizer(FitSettings(backbone=name, width=0.5).network, 2).eval()(
        torch.zeros(1, 64, 96, 3, dtype=torch.uint8)
    )
    assert heat.shape == (1, 2, 8, 12)


def test_what_torchvision_does_not_have_is_refused() -> None:
    """A narrow ResNet, and ImageNet's weights for a narrow MobileNet."""
    with pytest.raises(UsageError, match="width 1 only"):
        backbone("resnet18:0.5")
    with pytest.raises(UsageError, match="take weights = none"):
        backbone("mobilenet_v2:0.5", imagenet=True)


def test_a_download_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to do without a network."""

    def offline(**_: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(torchvision_models.models, "mobilenet_v2", offline)
    with pytest.raises(InputError, match=r"could not be downloaded .*weights = none"):
        backbone("mobilenet_v2", imagenet=True)


def test_only_three_words_say_what_to_start_from() -> None:
    """The bounds are said in the line."""
    with pytest.raises(ConfigError, match="one of starter, imagenet, none"):
        read_section(FitSettings, {"weights": "coco"}, "train:")


def starter_of(name: str, classes: int) -> dict[str, Tensor]:
    """Weights as the shipped file holds them: all but the heat's last layer."""
    state = DenseLocalizer(name, classes).state_dict()
    return {key: value for key, value in state.items() if not key.startswith("heat.")}


def test_a_run_starts_from_the_starter_with_a_last_layer_of_its_own(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The starter knows other marks, so its number of classes need not fit."""
    weights = starter_of("mobilenet_v3_small", 7)
    monkeypatch.setattr(initial, "load_starter", lambda _: weights)
    net = initial.initial_network(with_fit(config, weights="starter"))
    have = net.state_dict()
    assert all(torch.equal(value, have[name]) for name, value in weights.items())
    assert have["heat.weight"].shape[0] == 1


@pytest.mark.parametrize("changes", [{"backbone": "resnet18"}, {"width": 0.5}])
def test_a_starter_of_another_network_is_refused(
    config: RunConfig, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    """In one line, before anything is written."""
    weights = starter_of("mobilenet_v3_small", 1)
    monkeypatch.setattr(initial, "load_starter", lambda _: weights)
    with pytest.raises(UsageError, match="starter is not made for"):
        initial.initial_network(with_fit(config, weights="starter", **changes))
