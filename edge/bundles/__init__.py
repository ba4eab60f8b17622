"""A signed bundle: one file with a model, its golden frames, its proof and its settings."""
