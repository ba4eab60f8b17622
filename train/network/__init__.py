"""The network: backbone and dense head, its losses, and the checkpoint that holds its weights."""
