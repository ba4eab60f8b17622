"""What lower precisions are worth: size, latency, decisions, accuracy, of a run or the packaged."""
