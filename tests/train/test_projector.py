"""What TensorBoard's projector is told."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as tf

projector = tf.contrib.tensorboard.plugins.projector


def test_configuration_beside_the_events(tmp_path: Path) -> None:
    config = projector.ProjectorConfig(model_checkpoint_path="model.ckpt")
    embedding = config.embeddings.add()
    embedding.tensor_name = "words"
    embedding.metadata_path = str(tmp_path / "words.tsv")
    embedding.sprite.image_path = "digits.png"
    embedding.sprite.single_image_dim.extend([28, 28])
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        projector.visualize_embeddings(writer, config)
    written = (tmp_path / "projector_config.pbtxt").read_text()
    lines = [line.strip() for line in written.splitlines()]
    assert 'model_checkpoint_path: "model.ckpt"' in lines
    assert 'tensor_name: "words"' in lines
    assert lines.count("single_image_dim: 28") == 2


def test_tensorboard_reads_it(tmp_path: Path) -> None:
    messages = pytest.importorskip("tensorboard.plugins.projector.projector_config_pb2")
    from google.protobuf import text_format

    config = projector.ProjectorConfig()
    config.embeddings.add(tensor_name="words", tensor_shape=[10, 3], tensor_path="words.tsv")
    with tf.summary.FileWriter(str(tmp_path)) as writer:
        projector.visualize_embeddings(writer, config)
    read = messages.ProjectorConfig()
    text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), read)
    assert read.embeddings[0].tensor_path == "words.tsv"
    assert list(read.embeddings[0].tensor_shape) == [10, 3]


def test_a_writer_without_a_folder_is_refused() -> None:
    class Nowhere:
        def get_logdir(self) -> None:
            return None

    with pytest.raises(ValueError, match="must have a logdir"):
        projector.visualize_embeddings(Nowhere(), projector.ProjectorConfig())
