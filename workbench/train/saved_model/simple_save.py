"""The short way to a saved model with one graph and one signature."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from workbench.core.graph.context import get_collection
from workbench.core.graph.keys import GraphKeys
from workbench.train.saved_model import signature_constants, tag_constants
from workbench.train.saved_model.builder import SavedModelBuilder
from workbench.train.saved_model.signature_def_utils import predict_signature_def


def simple_save(
    session: Any,
    export_dir: str | os.PathLike[str],
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    legacy_init_op: Any = None,
) -> None:
    """Writes the default graph as a saved model that takes `inputs` and gives `outputs`.

    Args:
      session: the session that has the values of the variables.
      export_dir: the folder; it must not exist.
      inputs: tensors by name.
      outputs: tensors by name.
      legacy_init_op: an operation to run after loading.

    Raises:
      AssertionError: the folder exists.
      ValueError: there is no input, or no output.
    """
    signature = predict_signature_def(inputs, outputs)
    builder = SavedModelBuilder(export_dir)
    builder.add_meta_graph_and_variables(
        session,
        tags=[tag_constants.SERVING],
        signature_def_map={signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature},
        assets_collection=get_collection(GraphKeys.ASSET_FILEPATHS),
        legacy_init_op=legacy_init_op,
        clear_devices=True,
    )
    builder.save()
