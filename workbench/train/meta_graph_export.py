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

_SAVES_AND_RESTORES = frozenset("Save SaveV2 SaveSlices Restore RestoreV2 RestoreSlice".split())


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
    clear_extraneous_savers: bool = False,
    **kwargs: Any,
) -> Any:
    """A `MetaGraphDef`: the graph, its collections and the names of a saver's operations.

    It is also written to `filename`, where one is given. `export_scope` takes out a name scope;
    `clear_extraneous_savers` leaves out the operations of other savers.

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
        clear_extraneous_savers=clear_extraneous_savers,
        **kwargs,
    )[0]


def create_meta_graph_def(
    meta_info_def: Any = None,
    graph_def: Any = None,
    saver_def: Any = None,
    collection_list: Iterable[str] | None = None,
    graph: Graph | None = None,
    export_scope: str | None = None,
) -> Any:
    """A `MetaGraphDef` of these parts, with the collections of a graph; see `export_meta_graph`."""
    return export_meta_graph(
        None, meta_info_def, graph_def, saver_def, collection_list, False, graph, export_scope
    )


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
    unbound_inputs_col_name: str | None = UNBOUND_INPUTS,
    clear_extraneous_savers: bool = False,
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
    others = _other_savers(definition, saver_def) if clear_extraneous_savers else ()
    exported, unbound = scoped_graph_def(definition, export_scope, clear_devices, others)
    meta_graph.graph_def.CopyFrom(exported)
    _fill_meta_info(meta_graph)
    if saver_def is not None:
        meta_graph.saver_def.CopyFrom(as_message(SaverDef, saver_def, "saver_def"))
    keys = graph.get_all_collection_keys() if collection_list is None else list(collection_list)
    for key in keys:
        add_collection_def(meta_graph, key, graph, export_scope)
    if clear_extraneous_savers and GraphKeys.SAVERS in meta_graph.collection_def:
        savers = meta_graph.collection_def[GraphKeys.SAVERS].bytes_list
        kept = [each for each in savers.value if SaverDef.FromString(each) == saver_def]
        del savers.value[:]
        savers.value.extend(kept)
    if unbound and unbound_inputs_col_name:
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
        found = (op_def(type_name) for type_name in ops_used_by_graph_def(meta_graph.graph_def))
        info.stripped_op_list.op.extend(each for each in found if each is not None)


def ops_used_by_graph_def(graph_def: Any) -> list[str]:
    """The types of the operations of a graph, and of those that its functions are made of."""
    functions = {each.signature.name: each for each in graph_def.library.function}
    used: set[str] = set()
    waiting = [node.op for node in graph_def.node]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            if name in functions:
                waiting.extend(node.op for node in functions[name].node_def)
    return sorted(used - functions.keys())


def stripped_op_list_for_graph(graph_def: Any) -> Any:
    """The declarations of the operations that a graph uses, as an `OpList`.

    Raises:
      ValueError: one is not declared.
    """
    from workbench.core.protos import OpList

    result = OpList()
    for type_name in ops_used_by_graph_def(graph_def):
        declared = op_def(type_name)
        if declared is None:
            raise ValueError(f"Op {type_name} is used by the graph, but is not registered")
        result.op.add().CopyFrom(declared)
    return result


def _other_savers(graph_def: Any, saver_def: Any) -> set[str]:
    """The scopes of operations that save and restore, other than those of `saver_def`."""
    scopes = {
        node.name.rpartition("/")[0] for node in graph_def.node if node.op in _SAVES_AND_RESTORES
    }
    if saver_def is not None:
        for name in (saver_def.save_tensor_name, saver_def.restore_op_name):
            scopes.discard(name.rpartition("/")[0])
    return {scope for scope in scopes if scope}


def add_collection_def(
    meta_graph_def: Any, key: Any, graph: Graph | None = None, export_scope: str | None = None
) -> None:
    """Adds a collection; one whose members cannot be written is left out with a warning."""
    from workbench.core.protos import CollectionDef

    members = (get_default_graph() if graph is None else graph).get_collection(key)
    if not members:
        return
    if not isinstance(key, str):
        logging.warning("The collection %r is not in the meta graph: its name is no string", key)
        return
    collection = CollectionDef()
    try:
        _fill_collection(collection, key, members, export_scope)
    except (TypeError, ValueError, AttributeError) as error:
        logging.warning(
            "The collection %r is not in the meta graph: its members are no messages, nodes, "
            "numbers or bytes, or of several kinds (%s)",
            key,
            error,
        )
        return
    if collection.WhichOneof("kind") is not None:
        meta_graph_def.collection_def[key].CopyFrom(collection)


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
    elif hasattr(first, "type_url"):
        for member in members:
            collection.any_list.value.add(type_url=member.type_url, value=member.value)
    elif isinstance(first, int):
        collection.int64_list.value.extend(members)
    elif isinstance(first, float):
        collection.float_list.value.extend(members)
    else:
        names = [member.name for member in members]
        collection.node_list.value.extend(
            strip_scope(name, scope) for name in names if is_in_scope(name, scope)
        )
