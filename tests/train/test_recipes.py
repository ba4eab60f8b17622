"""Recipes: named sets of settings that a run keeps, and that --set changes."""

import argparse
import dataclasses
from pathlib import Path

import pytest

from edge.errors import UsageError
from export.__main__ import main
from train.commands import train
from train.commands.configuration import config_of
from train.config import FitSettings, RunConfig, SynthSettings
from train.recipes import RECIPES

Capture = pytest.CaptureFixture[str]
DEFAULTS = {**dataclasses.asdict(SynthSettings()), **dataclasses.asdict(FitSettings())}


def asked(*words: str) -> argparse.Namespace:
    """Return the arguments of ``stampgate train``."""
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(["--mark", "a=a.png", "--out", "run", *words])


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_changes_just_what_it_says(name: str) -> None:
    """Its settings are another value than the default each, with a reason; nothing else changes."""
    config = config_of(asked("--recipe", name))
    settings = {**dataclasses.asdict(config.synth), **dataclasses.asdict(config.fit)}
    changed = {key: value for key, value in settings.items() if value != DEFAULTS[key]}
    assert changed == RECIPES[name].values()
    assert all(why for _, why in RECIPES[name].settings.values())
    assert RECIPES[name].rules


def test_each_number_can_still_be_set() -> None:
    """--set and the options of their own come on top of the recipe."""
    config = config_of(asked("--recipe", "face", "--set", "rotation_deg=40", "--size", "320"))
    assert (config.synth.rotation_deg, config.synth.lookalike_share, config.fit.size) == (
        40.0,
        0.0,
        320,
    )


def test_the_name_stays_with_the_run() -> None:
    """In its configuration, as JSON and as TOML; a run of an earlier release was one of a stamp."""
    config = config_of(asked("--recipe", "characters"))
    assert RunConfig.from_json(config.to_json()) == config
    assert 'recipe = "characters"' in config.to_toml()
    old = config.to_json().replace('"recipe": "characters", ', "")
    assert RunConfig.from_json(old).recipe == "stamp"


def test_a_run_goes_on_with_its_own_recipe() -> None:
    """Another one is refused; its numbers are not set a second time over what was changed."""
    kept = config_of(asked("--recipe", "face", "--set", "rotation_deg=40"))
    for words in ((), ("--recipe", "face")):
        again = config_of(asked(*words), kept)
        assert (again.synth.rotation_deg, again.recipe) == (40.0, "face")
    with pytest.raises(UsageError, match="this run's is face"):
        config_of(asked("--recipe", "stamp"), kept)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_shown_without_anything_else(name: str, capsys: Capture) -> None:
    """Each setting with its value, default and reason, and what its pictures must not do."""
    with pytest.raises(SystemExit) as ended:
        main(["train", "--recipe", name, "--show"])
    said = capsys.readouterr().out
    assert not ended.value.code
    assert said.startswith(f"{name}: ")
    for key, (value, why) in RECIPES[name].settings.items():
        assert f"{key} = {value:g} (default {DEFAULTS[key]:g}): {why}" in said
    assert all(rule in said for rule in RECIPES[name].rules)


def test_all_are_shown_where_none_is_named(capsys: Capture) -> None:
    """So that one can be chosen."""
    with pytest.raises(SystemExit):
        main(["synth", "--show"])
    said = capsys.readouterr().out
    assert all(f"{name}: {recipe.about}" in said for name, recipe in RECIPES.items())


def test_an_unknown_one_is_refused(tmp_path: Path, capsys: Capture) -> None:
    """In one line, before a folder is made."""
    out = tmp_path / "run"
    with pytest.raises(SystemExit) as ended:
        main(["train", "--mark", "a.png", "--out", str(out), "--recipe", "magic"])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
    assert not out.exists()
