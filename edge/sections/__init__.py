"""The sections of ``edge.toml``: one frozen dataclass each, one field and one sentence a key."""
