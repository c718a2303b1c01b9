"""Writing saved models as TensorFlow does, so that TensorFlow and its servers load them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

from workbench.core.checkpoints.bundle_files import write_bundle
from workbench.core.checkpoints.reading import read_tensors
from workbench.core.files import atomic_write, local_path, read_bytes, translated_errors
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import add_to_collection, get_collection
from workbench.core.graph.dtypes import string
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.platform import logging
from workbench.core.protos.reading import serialize, to_text
from workbench.train.saved_model import constants
from workbench.train.saved_model.default_attributes import strip_default_attributes
from workbench.train.saver import Saver
from workbench.train.saver_builder import all_saveable_objects


class SavedModelBuilder:
    """Writes a saved model: graphs that share variables and files, each found by its tags.

    The folder is a saved model once `save` has returned, and none before.

    Args:
      export_dir: the folder; it is made, and must not exist.

    Raises:
      AssertionError: the folder exists.
      OpError: it cannot be made.

    >>> import tempfile, workbench as tf
    >>> x = tf.placeholder(tf.float32, [None], name="x")
    >>> y = tf.multiply(x, tf.Variable(2.0, name="v"), name="y")
    >>> signature = tf.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})
    >>> with tempfile.TemporaryDirectory() as folder, tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     builder = tf.saved_model.builder.SavedModelBuilder(folder + "/model")
    ...     builder.add_meta_graph_and_variables(
    ...         session, [tf.saved_model.tag_constants.SERVING], {"serving_default": signature}
    ...     )
    ...     _ = builder.save()
    ...     sorted(os.listdir(folder + "/model"))
    ['saved_model.pb', 'variables']
    """

    def __init__(self, export_dir: str | os.PathLike[str]) -> None:
        from workbench.core.protos import SavedModel

        self._export_dir = local_path(export_dir)
        self._saved_model = SavedModel(
            saved_model_schema_version=constants.SAVED_MODEL_SCHEMA_VERSION
        )
        self._has_saved_variables = False
        if os.path.exists(self._export_dir):
            raise AssertionError(
                "Export directory already exists. Please specify a different export directory: "
                f"{self._export_dir}"
            )
        self._make_folder("")

    def add_meta_graph_and_variables(
        self,
        sess: Any,
        tags: Iterable[str],
        signature_def_map: Mapping[str, Any] | None = None,
        assets_collection: Iterable[Any] | None = None,
        legacy_init_op: Any = None,
        clear_devices: bool = False,
        main_op: Any = None,
        strip_default_attrs: bool = False,
    ) -> None:
        """Adds the default graph, and writes the values of its variables and its files.

        Args:
          sess: the session that has the values.
          tags: what to find the graph by.
          signature_def_map: `SignatureDef` messages by name.
          assets_collection: constants that hold the paths of files to write beside the graph.
          legacy_init_op: an operation to run after loading, where `main_op` is None.
          clear_devices: leave out the devices of the operations.
          main_op: an operation to run after loading.
          strip_default_attrs: leave out attributes that have their default values.

        Raises:
          AssertionError: variables were written before, or a signature is incomplete.
          TypeError: an operation or a path is none.
          OpError: a file cannot be read or written, or a variable has no value.
        """
        if self._has_saved_variables:
            raise AssertionError(
                "Graph state including variables and assets has already been saved. Please invoke "
                "`add_meta_graph()` instead."
            )
        _check_signatures(signature_def_map)
        self._write_assets(assets_collection)
        _add_initial_operation(legacy_init_op, main_op)
        saver = _new_saver()
        self._write_variables(sess, saver)
        self._add(saver, tags, signature_def_map, clear_devices, strip_default_attrs)
        self._has_saved_variables = True

    def add_meta_graph(
        self,
        tags: Iterable[str],
        signature_def_map: Mapping[str, Any] | None = None,
        assets_collection: Iterable[Any] | None = None,
        legacy_init_op: Any = None,
        clear_devices: bool = False,
        main_op: Any = None,
        strip_default_attrs: bool = False,
    ) -> None:
        """Adds the default graph as another one with the same variables.

        The arguments are those of `add_meta_graph_and_variables`.

        Raises:
          AssertionError: no variables were written before, or a signature is incomplete.
        """
        if not self._has_saved_variables:
            raise AssertionError(
                "Graph state including variables and assets has not been saved yet. Please invoke "
                "`add_meta_graph_and_variables()` first."
            )
        _check_signatures(signature_def_map)
        self._write_assets(assets_collection)
        _add_initial_operation(legacy_init_op, main_op)
        self._add(_new_saver(), tags, signature_def_map, clear_devices, strip_default_attrs)

    def save(self, as_text: bool = False) -> bytes:
        """Writes the graphs: now the folder is a saved model. Returns the file's path.

        Raises:
          OpError: it cannot be written.
        """
        self._make_folder("")
        if as_text:
            name, content = (
                constants.SAVED_MODEL_FILENAME_PBTXT,
                to_text(self._saved_model).encode(),
            )
        else:
            name, content = constants.SAVED_MODEL_FILENAME_PB, serialize(self._saved_model)
        path = os.path.join(self._export_dir, name)
        atomic_write(path, content)
        logging.info("SavedModel written to: %s", path)
        # Bytes, as TensorFlow returns them.
        return os.fsencode(path)

    def _make_folder(self, name: str) -> str:
        path = os.path.join(self._export_dir, name) if name else self._export_dir
        with translated_errors(path):
            os.makedirs(path, exist_ok=True)
        return path

    def _write_variables(self, session: Any, saver: Saver) -> None:
        folder = self._make_folder(constants.VARIABLES_DIRECTORY)
        prefix = os.path.join(folder, constants.VARIABLES_FILENAME)
        with tempfile.TemporaryDirectory(prefix=".partial_", dir=self._export_dir) as passing:
            # Savers write another format; what is saved, and as what, is theirs to know.
            own = os.path.join(passing, constants.VARIABLES_FILENAME)
            path = saver.save(session, own, write_meta_graph=False, write_state=False)
            if path is not None:
                write_bundle(prefix, read_tensors(path))

    def _write_assets(self, tensors: Iterable[Any] | None) -> None:
        from google.protobuf.any_pb2 import Any as AnyMessage

        from workbench.core.protos import AssetFileDef

        for tensor in tensors or ():
            source = _asset_path(tensor)
            name = _asset_name(source, self._make_folder(constants.ASSETS_DIRECTORY))
            asset = AssetFileDef(filename=name)
            asset.tensor_info.name = tensor.name
            message = AnyMessage(
                type_url="type.googleapis.com/tensorflow.AssetFileDef", value=serialize(asset)
            )
            add_to_collection(constants.ASSETS_KEY, message)

    def _add(
        self,
        saver: Saver,
        tags: Iterable[str],
        signatures: Mapping[str, Any] | None,
        clear_devices: bool,
        strip_default_attrs: bool,
    ) -> None:
        meta_graph = saver.export_meta_graph(clear_devices=clear_devices)
        if strip_default_attrs:
            strip_default_attributes(meta_graph)
        meta_graph.meta_info_def.tags.extend(tags)
        for key, signature in (signatures or {}).items():
            meta_graph.signature_def[key].CopyFrom(signature)
        self._saved_model.meta_graphs.add().CopyFrom(meta_graph)


def _new_saver() -> Saver:
    return Saver(all_saveable_objects(), sharded=True, allow_empty=True)


def _add_initial_operation(legacy_init_op: Any, main_op: Any) -> None:
    """Notes what is to be run after loading: in the newer way, or else in the older."""
    name, key, given = "main_op", constants.MAIN_OP_KEY, main_op
    if main_op is None:
        name, key, given = "legacy_init_op", constants.LEGACY_INIT_OP_KEY, legacy_init_op
    if given is None:
        return
    if not isinstance(given, Operation):
        raise TypeError(f"{name} needs to be an Operation: {given!r}")
    if get_collection(key):
        raise AssertionError(
            f"graph already contains one or more operations under the collection {key}."
        )
    add_to_collection(key, given)


def _asset_path(tensor: Any) -> str:
    """The path that a constant holds."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"Asset path tensor must be a Tensor, but got {tensor!r}.")
    if tensor.op.type != "Const":
        raise TypeError(f"Asset path tensor must be of type constant, but {tensor.name} is not.")
    if tensor.dtype is not string:
        raise TypeError(f"Asset path tensor must be of dtype string, not {tensor.dtype.name}.")
    value = constant_value(tensor)
    if value is None or value.size != 1:
        raise TypeError(f"Asset path tensor must be a scalar, but {tensor.name} is not.")
    path = os.fsdecode(value.item())
    if not path:
        raise ValueError(f"Invalid asset filepath tensor {tensor.name}: it is empty")
    return local_path(path)


def _asset_name(source: str, folder: str) -> str:
    """The name under which a folder holds a file's content, which is written where it is not
    there: another name where another file has that of its own."""
    content = read_bytes(source)
    stem, ending = os.path.splitext(os.path.basename(source))
    name, number = f"{stem}{ending}", 0
    while os.path.exists(target := os.path.join(folder, name)):
        if read_bytes(target) == content:
            return name
        number += 1
        name = f"{stem}_{number}{ending}"
    atomic_write(target, content)
    return name


def _check_signatures(signatures: Mapping[str, Any] | None) -> None:
    for key, signature in (signatures or {}).items():
        for name, info in (*signature.inputs.items(), *signature.outputs.items()):
            if info is None or not info.WhichOneof("encoding") or not info.dtype:
                missing = "dtype" if info is not None and info.WhichOneof("encoding") else "name"
                raise AssertionError(
                    f"All TensorInfo protos used in the SignatureDefs must have the {missing} "
                    f"field set: {name!r} of signature {key!r} has not"
                )
