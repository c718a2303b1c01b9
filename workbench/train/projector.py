"""Embeddings for TensorBoard's projector: `tf.contrib.tensorboard.plugins.projector`."""

from __future__ import annotations

import os
from typing import Any

from workbench.core.files import atomic_write

#: The file that TensorBoard looks for in a folder of events.
CONFIGURATION = "projector_config.pbtxt"


def visualize_embeddings(summary_writer: Any, config: Any) -> None:
    """Write beside the events what the projector is to show.

    Args:
      summary_writer: a `tf.summary.FileWriter`, whose folder is written to.
      config: a `ProjectorConfig`: the variables with embeddings, and files with their labels.

    Raises:
      ValueError: the writer has no folder.

    >>> import tempfile
    >>> import workbench as tf
    >>> from workbench.contrib.tensorboard.plugins import projector
    >>> config = projector.ProjectorConfig()
    >>> config.embeddings.add(tensor_name="words", metadata_path="words.tsv").tensor_name
    'words'
    >>> with tempfile.TemporaryDirectory() as folder, tf.summary.FileWriter(folder) as writer:
    ...     projector.visualize_embeddings(writer, config)
    """
    from google.protobuf import text_format

    folder = summary_writer.get_logdir()
    if folder is None:
        raise ValueError("Summary writer must have a logdir")
    text = text_format.MessageToString(config)
    atomic_write(os.path.join(os.fspath(folder), CONFIGURATION), text.encode())
