"""Vision, from frame to findings: contract, decoding, letterbox, inference in two looks."""
