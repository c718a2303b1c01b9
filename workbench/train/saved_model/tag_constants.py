"""The usual tags that tell the graphs of a saved model apart."""

from __future__ import annotations

SERVING = "serve"
TRAINING = "train"
GPU = "gpu"
TPU = "tpu"
