"""`workbench demo-predict`: loads a demonstration's checkpoint and predicts."""

from __future__ import annotations

import json
import os
import sys

import workbench as tf
from workbench.core.files import atomic_write
from workbench.demo.data import load_digits


def predict_held_out(folder: str, output: str | None = None) -> int:
    """Prints the held-out accuracy of the newest checkpoint; returns the exit status.

    The graph comes from the checkpoint's own meta graph: nothing of the training code is needed.
    """
    newest = tf.train.latest_checkpoint(os.path.join(folder, "checkpoints"))
    if newest is None:
        print(f"{folder} has no checkpoint", file=sys.stderr)
        return 1
    _, _, images, labels = load_digits()
    with tf.Graph().as_default(), tf.Session() as session:
        saver = tf.train.import_meta_graph(newest + ".meta")
        saver.restore(session, newest)
        predictions = session.run("predictions:0", {"images:0": images})
    accuracy = float((predictions == labels).mean())
    if output:
        atomic_write(output, json.dumps(predictions.tolist()).encode())
    print(f"held-out accuracy {accuracy:.4f} on {len(images)} digits")
    return 0
