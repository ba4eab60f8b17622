from pathlib import Path

import pytest

from edge.config import DEFAULT_MODEL, SECTIONS, Config, load_config, sample
from edge.errors import ConfigError
from tests.paths import ROOT


def write(folder: Path, text: str) -> Path:
    """An edge.toml with *text*."""
    path = folder / "edge.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_sample_file_is_what_the_command_prints() -> None:
    """systemd/edge.toml is generated: stampgate-edge config > systemd/edge.toml."""
    assert (ROOT / "systemd" / "edge.toml").read_text(encoding="utf-8") == sample()


def test_the_sample_holds_every_default(tmp_path: Path) -> None:
    """Reading it changes nothing."""
    assert load_config(write(tmp_path, sample())) == Config(folder=tmp_path)
    assert load_config(write(tmp_path, "")) == Config(folder=tmp_path)


def test_a_relative_path_starts_from_the_files_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the service stands, and however the file was named."""
    write(tmp_path, '[model]\nfile = "m.onnx"\n[journal]\nfile = "/var/j.jsonl"')
    monkeypatch.chdir(tmp_path.parent)
    config = load_config(Path(tmp_path.name) / "edge.toml")
    assert config.model_file() == tmp_path / "m.onnx"
    assert config.path(config.journal.file) == Path("/var/j.jsonl")
    assert Config().model_file() == DEFAULT_MODEL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[gate]\npulse_ms = 0",
            "edge.toml: [gate] pulse_ms must be above 0 and at most 10000, not 0",
        ),
        (
            "[gate]\npuls_ms = 5",
            "edge.toml: [gate] has no key 'puls_ms'; its keys are driver, reject_delay_ms",
        ),
        ("[gates]\n", "edge.toml: has no section [gates]; its sections are camera, trigger, gate"),
        ("gate = 5", "edge.toml: [gate] must be a section, not 5"),
        ("[gate", "edge.toml: must be TOML in UTF-8"),
        (
            '[trigger]\nkind = "photo"',
            "edge.toml: [trigger] kind must be one of every-frame, interval",
        ),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    """Section, key, bound and what was found; systemd does not start it again."""
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 78


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    """With the way to make one."""
    with pytest.raises(ConfigError, match="'stampgate-edge config' prints one"):
        load_config(tmp_path / "edge.toml")
    (tmp_path / "edge.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="must be TOML in UTF-8"):
        load_config(tmp_path / "edge.toml")


def test_the_checksum_names_the_settings_and_not_their_layout(tmp_path: Path) -> None:
    """Comments do not count; any value does, and so does nothing else."""
    plain = load_config(write(tmp_path, "[gate]\npulse_ms = 40\n")).checksum()
    assert (
        load_config(write(tmp_path, "# hello\n[gate]\npulse_ms = 40.0\n[camera]\n")).checksum()
        == plain
    )
    assert load_config(write(tmp_path, "[gate]\npulse_ms = 41\n")).checksum() != plain


def test_every_section_of_the_config_is_read() -> None:
    """A section added to one list and forgotten in the other would be silently ignored."""
    assert {name: type(getattr(Config(), name)) for name in SECTIONS} == SECTIONS
