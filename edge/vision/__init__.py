"""From a frame to findings: the model's contract, the letterbox, the network and its two looks."""
