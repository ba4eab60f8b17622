"""The training run: batches, steps, checkpoints, early stopping, and the threshold at its end."""
