"""Reading meta graphs: operations, variables and other collections come into a graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.errors import DataLossError, InvalidArgumentError, NotFoundError
from workbench.core.graph.collection_protos import proto_functions
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.core.graph.importer import import_graph_def
from workbench.core.platform import logging
from workbench.core.protos.reading import as_message, read_meta_graph_def
from workbench.train import queue_runner as queue_runner  # has its collection read
from workbench.train.meta_graph_export import (
    UNBOUND_INPUTS,
    export_scoped_meta_graph,
    scope_variables,
)
from workbench.train.saver import Saver
from workbench.train.saver_builder import all_saveable_objects
from workbench.train.scoped_graph import prepend_scope, scoped_graph_def


def import_meta_graph(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    import_scope: str | None = None,
    **kwargs: Any,
) -> Saver | None:
    """Adds a meta graph to the default graph: operations, variables and other collections.

    Nothing is added when the meta graph is damaged or not consistent. Returns a saver for its
    variables, or None where it has none.

    Args:
      meta_graph_or_file: a `MetaGraphDef`, or the file that holds one.
      clear_devices: leave out the devices of the operations.
      import_scope: a name scope to put all of it in.
      **kwargs: `input_map`, tensors by the names of the inputs that they replace.

    Raises:
      NotFoundError: there is no such file.
      DataLossError: the file is truncated, damaged or something else.
      ValueError: the meta graph is not consistent.
    """
    meta_graph = read(meta_graph_or_file)
    scope = import_scope
    if import_scope:
        scope = get_default_graph().unique_name(import_scope, mark_as_used=False)
    import_scoped_meta_graph(meta_graph, clear_devices, import_scope=import_scope, **kwargs)
    if meta_graph.HasField("saver_def"):
        return Saver(saver_def=meta_graph.saver_def, name=scope)
    if all_saveable_objects(scope):
        return Saver()
    logging.info("Saver not created because there are no variables in the graph to restore")
    return None


def import_scoped_meta_graph(
    meta_graph_or_file: Any,
    clear_devices: bool = False,
    graph: Graph | None = None,
    import_scope: str | None = None,
    input_map: Mapping[str, Any] | None = None,
    unbound_inputs_col_name: str | None = UNBOUND_INPUTS,
    restore_collections_predicate: Callable[[str], bool] = lambda key: True,
) -> dict[str, Any]:
    """Adds a meta graph's operations and collections to a graph; gives its variables by name.

    Nothing is added when the meta graph is damaged or not consistent. Collections of whose names
    `restore_collections_predicate` is false stay out.

    Raises:
      NotFoundError: there is no such file.
      DataLossError: the file is truncated, damaged or something else.
      ValueError: the meta graph is not consistent, or lacks inputs that `input_map` must give.
    """
    meta_graph = read(meta_graph_or_file)
    graph = get_default_graph() if graph is None else graph
    _check_unbound(meta_graph, input_map, unbound_inputs_col_name)
    definition = meta_graph.graph_def
    if clear_devices:
        definition, _ = scoped_graph_def(definition, None, clear_devices=True)
    scope = graph.unique_name(import_scope, mark_as_used=False) if import_scope else ""
    version, initializers = graph.version, dict(graph.variable_initializers)
    collections = {key: list(members) for key, members in graph._collections.items()}
    with graph.as_default():
        import_graph_def(definition, input_map, name=import_scope or "")
        try:
            chosen = {
                key: collection
                for key, collection in sorted(meta_graph.collection_def.items())
                if key != unbound_inputs_col_name and restore_collections_predicate(key)
            }
            _restore_collections(chosen, graph, scope)
        except BaseException as error:
            graph.remove_after(version)
            graph.variable_initializers.clear()
            graph.variable_initializers.update(initializers)
            graph._collections.clear()
            graph._collections.update(collections)
            if isinstance(error, KeyError):
                raise ValueError(f"The meta graph is not consistent: {error.args[0]}") from None
            raise
    return scope_variables(graph, scope)


class MissingFileError(NotFoundError, OSError):
    """There is no file of a meta graph; TensorFlow says so by an IOError."""


class DamagedFileError(DataLossError, OSError):
    """A file holds no meta graph; TensorFlow says so by an IOError."""


def read(meta_graph_or_file: Any) -> Any:
    """The `MetaGraphDef` of a file, or the message itself."""
    from workbench.core.protos import MetaGraphDef

    if isinstance(meta_graph_or_file, (str, os.PathLike)):
        path = os.fspath(meta_graph_or_file)
        try:
            return read_meta_graph_def(path)
        except NotFoundError as error:
            raise MissingFileError(
                None, None, f"File {path} does not exist. ({error.message})"
            ) from None
        except (DataLossError, InvalidArgumentError) as error:
            raise DamagedFileError(
                None, None, f"Cannot parse file {path}: {error.message}"
            ) from None
    return as_message(MetaGraphDef, meta_graph_or_file, "meta_graph_or_file")


def _check_unbound(meta_graph: Any, input_map: Mapping[str, Any] | None, key: str | None) -> None:
    if not key or key not in meta_graph.collection_def:
        return
    names = [name.decode() for name in meta_graph.collection_def[key].bytes_list.value]
    missing = [name for name in names if name not in (input_map or {})]
    if missing:
        raise ValueError(
            f"Graph contains unbound inputs: {','.join(missing)}. Must provide these inputs "
            "through input_map."
        )


def _restore_collections(collections: Mapping[str, Any], graph: Graph, scope: str) -> None:
    # One variable in several collections is one object.
    made: dict[bytes, Any] = {}
    for key, collection in collections.items():
        kind = collection.WhichOneof("kind")
        if kind is None:
            continue
        values = getattr(collection, kind).value
        functions = proto_functions(key)
        if kind == "bytes_list" and functions is not None and functions.from_proto is not None:
            for content in values:
                if content not in made:
                    message = as_message(functions.proto_type, content, f"collection {key!r}")
                    made[content] = functions.from_proto(message, import_scope=scope or None)
                graph.add_to_collection(key, made[content])
        elif kind == "node_list":
            for name in values:
                element = graph.as_graph_element(prepend_scope(name, scope))
                graph.add_to_collection(key, element)
        else:
            for value in values:
                graph.add_to_collection(key, value)


def copy_scoped_meta_graph(
    from_scope: str,
    to_scope: str,
    from_graph: Graph | None = None,
    to_graph: Graph | None = None,
) -> dict[str, Any]:
    """Copies a name scope of a graph, with its variables, to another scope or graph.

    Returns the new variables by their names in the scope. Raises ValueError where both scopes and
    graphs are the same.
    """
    source = from_graph or get_default_graph()
    target = to_graph or get_default_graph()
    if source is target and from_scope == to_scope:
        raise ValueError(
            "'from_scope' and 'to_scope' need to be different when performing copy in the same "
            "graph."
        )
    meta_graph, _ = export_scoped_meta_graph(export_scope=from_scope, graph=source)
    return import_scoped_meta_graph(meta_graph, graph=target, import_scope=to_scope)
