"""Writing meta graphs: a graph with its collections and the names of its saver's operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.core.files import atomic_write
from workbench.core.graph.collection_protos import proto_functions
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.graph import Graph
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops.op_def import op_def
from workbench.core.platform import logging
from workbench.core.protos.reading import as_message, serialize, to_text
from workbench.train.scoped_graph import is_in_scope, scoped_graph_def, strip_scope

#: The collection that names the inputs an exported scope lacks.
UNBOUND_INPUTS = "unbound_inputs"


def export_meta_graph(
    filename: str | None = None,
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Iterable[str] | None = None,
    as_text: bool = False,
    graph: Graph | None = None,
    export_scope: str | None = None,
    clear_devices: bool = False,
    **kwargs: Any,
) -> Any:
    """A `MetaGraphDef`: the graph, its collections and the names of a saver's operations.

    It is also written to `filename`, where one is given. `export_scope` takes out a name scope.

    Raises:
      TypeError: an argument is no message of the kind it should be.
      OpError: the file cannot be written.

    >>> import workbench as tf
    >>> with tf.Graph().as_default() as graph:
    ...     v = tf.Variable(1.0, name="v")
    >>> sorted(tf.train.export_meta_graph(graph=graph).collection_def)
    ['trainable_variables', 'variables']
    """
    return export_scoped_meta_graph(
        filename,
        graph_def,
        graph,
        export_scope,
        as_text,
        clear_devices,
        meta_info_def,
        saver_def,
        collection_list,
        **kwargs,
    )[0]


def export_scoped_meta_graph(
    filename: str | None = None,
    graph_def: Any = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
    as_text: bool = False,
    clear_devices: bool = False,
    meta_info_def: Any = None,
    saver_def: Any = None,
    collection_list: Iterable[str] | None = None,
    unbound_inputs_col_name: str = UNBOUND_INPUTS,
) -> tuple[Any, dict[str, Any]]:
    """A `MetaGraphDef` of a graph or of a scope of it, and its variables by name.

    It is also written to `filename`, where one is given: whole, or not at all.

    Raises:
      TypeError: an argument is no message of the kind it should be.
      OpError: the file cannot be written.
    """
    from workbench.core.protos import GraphDef, MetaGraphDef, SaverDef
    from workbench.core.protos import MetaGraphDef as _Meta

    graph = get_default_graph() if graph is None else graph
    definition = graph.as_graph_def(add_shapes=True) if graph_def is None else graph_def
    definition = as_message(GraphDef, definition, "graph_def")
    meta_graph = MetaGraphDef()
    if meta_info_def is not None:
        meta_graph.meta_info_def.CopyFrom(
            as_message(_Meta.MetaInfoDef, meta_info_def, "meta_info_def")
        )
    exported, unbound = scoped_graph_def(definition, export_scope, clear_devices)
    meta_graph.graph_def.CopyFrom(exported)
    _fill_meta_info(meta_graph)
    if saver_def is not None:
        meta_graph.saver_def.CopyFrom(as_message(SaverDef, saver_def, "saver_def"))
    keys = graph.get_all_collection_keys() if collection_list is None else list(collection_list)
    for key in keys:
        _add_collection(meta_graph, key, graph.get_collection(key), export_scope)
    if unbound:
        meta_graph.collection_def[unbound_inputs_col_name].bytes_list.value.extend(
            name.encode() for name in unbound
        )
    if filename:
        content = to_text(meta_graph).encode() if as_text else serialize(meta_graph)
        atomic_write(filename, content)
    return meta_graph, scope_variables(graph, export_scope)


def scope_variables(graph: Graph, scope: str | None) -> dict[str, Any]:
    """The global variables of a scope, by their names in it."""
    prefix = f"{scope.rstrip('/')}/" if scope else None
    return {
        strip_scope(variable.name, scope): variable
        for variable in graph.get_collection(GraphKeys.GLOBAL_VARIABLES, prefix)
    }


def _fill_meta_info(meta_graph: Any) -> None:
    from workbench.core.graph.versions import GIT_VERSION, VERSION

    info = meta_graph.meta_info_def
    info.tensorflow_version = VERSION
    info.tensorflow_git_version = GIT_VERSION
    if not info.HasField("stripped_op_list"):
        info.stripped_op_list.SetInParent()
        for type_name in sorted({node.op for node in meta_graph.graph_def.node}):
            definition = op_def(type_name)
            if definition is not None:
                info.stripped_op_list.op.add().CopyFrom(definition)


def _add_collection(meta_graph: Any, key: Any, members: list[Any], scope: str | None) -> None:
    """Adds a collection; one whose members cannot be written is left out with a warning."""
    from workbench.core.protos import CollectionDef

    if not members or not isinstance(key, str):
        return
    collection = CollectionDef()
    try:
        _fill_collection(collection, key, members, scope)
    except (TypeError, ValueError, AttributeError) as error:
        logging.warning(
            "The collection %r is not in the meta graph: its members are no messages, nodes, "
            "numbers or bytes, or of several kinds (%s)",
            key,
            error,
        )
        return
    if collection.WhichOneof("kind") is not None:
        meta_graph.collection_def[key].CopyFrom(collection)


def _fill_collection(collection: Any, key: str, members: list[Any], scope: str | None) -> None:
    functions = proto_functions(key)
    if functions is not None and functions.to_proto is not None:
        messages = [functions.to_proto(member, export_scope=scope) for member in members]
        collection.bytes_list.value.extend(
            serialize(message) for message in messages if message is not None
        )
        return
    first = members[0]
    if isinstance(first, (bytes, str)):
        collection.bytes_list.value.extend(
            member.encode() if isinstance(member, str) else member for member in members
        )
    elif isinstance(first, int):
        collection.int64_list.value.extend(members)
    elif isinstance(first, float):
        collection.float_list.value.extend(members)
    else:
        names = [member.name for member in members]
        collection.node_list.value.extend(
            strip_scope(name, scope) for name in names if is_in_scope(name, scope)
        )
