"""Make a signed bundle of a model, its golden frames, its proof and its settings, and its keys."""
