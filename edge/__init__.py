"""The box at the line: camera, localizer, decision, gate and journal. Never imports torch."""

import os

__version__ = "0.1.0"

# Before anyone imports onnxruntime, which from 1.29 on tells its makers of each use, over the
# network and in a file.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
