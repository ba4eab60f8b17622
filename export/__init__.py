"""Across: a trained run becomes one ONNX file with everything the box must know inside it."""
