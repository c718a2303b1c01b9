"""Loading saved models, TensorFlow's among them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from workbench.core.errors import DataLossError, InvalidArgumentError, NotFoundError
from workbench.core.files import local_path, read_bytes
from workbench.core.platform import logging
from workbench.train.meta_graph_import import (
    DamagedFileError,
    MissingFileError,
    import_meta_graph,
)
from workbench.train.saved_model import constants
from workbench.train.scoped_graph import prepend_scope


def maybe_saved_model_directory(export_dir: str | os.PathLike[str]) -> bool:
    """Whether a folder looks like a saved model."""
    folder = local_path(export_dir)
    return any(
        os.path.isfile(os.path.join(folder, name))
        for name in (constants.SAVED_MODEL_FILENAME_PB, constants.SAVED_MODEL_FILENAME_PBTXT)
    )


def read_saved_model(export_dir: str | os.PathLike[str]) -> Any:
    """The `SavedModel` message of a folder.

    Raises:
      OSError, NotFoundError: there is none.
      OSError, DataLossError: it is truncated, damaged or something else.
    """
    from workbench.core.protos import SavedModel
    from workbench.core.protos.reading import parse_message

    folder = local_path(export_dir)
    for name in (constants.SAVED_MODEL_FILENAME_PB, constants.SAVED_MODEL_FILENAME_PBTXT):
        path = os.path.join(folder, name)
        try:
            content = read_bytes(path)
        except NotFoundError:
            continue
        try:
            is_text = name == constants.SAVED_MODEL_FILENAME_PBTXT
            return parse_message(SavedModel, content.decode() if is_text else content, path)
        except (DataLossError, InvalidArgumentError, UnicodeDecodeError) as error:
            raise DamagedFileError(None, None, f"Cannot parse file {path}: {error}.") from None
    raise MissingFileError(
        None,
        None,
        f"SavedModel file does not exist at: {folder}/{{{constants.SAVED_MODEL_FILENAME_PBTXT}|"
        f"{constants.SAVED_MODEL_FILENAME_PB}}}",
    )


def load(
    sess: Any, tags: Iterable[str], export_dir: str | os.PathLike[str], **saver_kwargs: Any
) -> Any:
    """Adds a graph of a saved model to a session's graph, and restores its variables.

    Args:
      sess: the session.
      tags: the tags of the graph to load: exactly these.
      export_dir: the folder of the saved model.
      **saver_kwargs: what `tf.train.import_meta_graph` takes, such as `import_scope`.

    Returns:
      The `MetaGraphDef` that was loaded; its `signature_def` says what can be asked of it.

    Raises:
      OSError: there is no saved model, or it is damaged.
      RuntimeError: it has no graph with these tags; the error lists those it has.

    >>> import tempfile, workbench as tf
    >>> v = tf.Variable([1.0, 2.0], name="v")
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with tf.Session() as session:
    ...         session.run(v.initializer)
    ...         builder = tf.saved_model.builder.SavedModelBuilder(parent + "/model")
    ...         builder.add_meta_graph_and_variables(
    ...             session, [tf.saved_model.tag_constants.SERVING]
    ...         )
    ...         _ = builder.save()
    ...     with tf.Session(graph=tf.Graph()) as session:
    ...         _ = tf.saved_model.loader.load(session, ["serve"], parent + "/model")
    ...         session.run("v:0").tolist()
    [1.0, 2.0]
    """
    wanted = {tags} if isinstance(tags, str) else set(tags)
    saved_model = read_saved_model(export_dir)
    found = {frozenset(each.meta_info_def.tags): each for each in saved_model.meta_graphs[::-1]}
    meta_graph = found.get(frozenset(wanted))
    if meta_graph is None:
        known = "; ".join(", ".join(sorted(each)) or "(none)" for each in found)
        raise RuntimeError(
            f"MetaGraphDef associated with tags {', '.join(sorted(wanted))} could not be found in "
            f"SavedModel. Its graphs have the tags: {known}"
        )
    folder = local_path(export_dir)
    scope = saver_kwargs.get("import_scope")
    if scope:
        # What the scope will be called where one of that name is there already.
        scope = sess.graph.unique_name(scope, mark_as_used=False)
    with sess.graph.as_default():
        saver = import_meta_graph(meta_graph, **saver_kwargs)
        if saver is None:
            logging.info("The specified SavedModel has no variables; no checkpoints were restored.")
        else:
            saver.restore(
                sess,
                os.path.join(folder, constants.VARIABLES_DIRECTORY, constants.VARIABLES_FILENAME),
            )
        initial = _initial_operation(meta_graph)
        if initial is not None:
            operation = sess.graph.as_graph_element(prepend_scope(initial, scope))
            sess.run(operation, feed_dict=_asset_paths(meta_graph, folder, scope))
    return meta_graph


def _initial_operation(meta_graph: Any) -> str | None:
    """The name of what is to be run after loading: in the newer way, or the older."""
    for key, what in (
        (constants.MAIN_OP_KEY, "SavedModel main op"),
        (constants.LEGACY_INIT_OP_KEY, "legacy serving init op"),
    ):
        if key in meta_graph.collection_def:
            names = meta_graph.collection_def[key].node_list.value
            if len(names) != 1:
                raise RuntimeError(f"Expected exactly one {what}.")
            return str(names[0])
    return None


def _asset_paths(meta_graph: Any, folder: str, scope: str | None) -> dict[str, str]:
    """The paths of the files here, by the tensors that held their paths elsewhere."""
    from workbench.core.protos import AssetFileDef
    from workbench.core.protos.reading import parse_message

    paths: dict[str, str] = {}
    if constants.ASSETS_KEY not in meta_graph.collection_def:
        return paths
    for message in meta_graph.collection_def[constants.ASSETS_KEY].any_list.value:
        asset = parse_message(AssetFileDef, message.value, folder)
        tensor = prepend_scope(asset.tensor_info.name, scope)
        paths[tensor] = os.path.join(folder, constants.ASSETS_DIRECTORY, asset.filename)
    return paths
