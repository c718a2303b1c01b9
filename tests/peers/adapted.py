"""Inner names of TensorFlow that are public nowhere, made from an engine's public ones.

Each maker takes the engine's module and returns what stands for the inner name. `"*"` as a name
means every name of that module.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import unittest.mock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.peers import raw_operations, support

Maker = Callable[[Any], Any]
_makers: dict[tuple[str, str], Maker] = {}

# The numbers of the types in a GraphDef.
TYPE_NUMBERS = {
    "DT_INVALID": 0,
    "DT_FLOAT": 1,
    "DT_DOUBLE": 2,
    "DT_INT32": 3,
    "DT_UINT8": 4,
    "DT_INT16": 5,
    "DT_INT8": 6,
    "DT_STRING": 7,
    "DT_COMPLEX64": 8,
    "DT_INT64": 9,
    "DT_BOOL": 10,
    "DT_QINT8": 11,
    "DT_QUINT8": 12,
    "DT_QINT32": 13,
    "DT_BFLOAT16": 14,
    "DT_QINT16": 15,
    "DT_QUINT16": 16,
    "DT_UINT16": 17,
    "DT_COMPLEX128": 18,
    "DT_HALF": 19,
    "DT_RESOURCE": 20,
    "DT_VARIANT": 21,
}

# Functions on files and the methods of tf.gfile that do the same.
FILES = {
    "FileIO": "GFile",
    "copy": "Copy",
    "create_dir": "MkDir",
    "delete_file": "Remove",
    "delete_recursively": "DeleteRecursively",
    "file_exists": "Exists",
    "get_matching_files": "Glob",
    "is_directory": "IsDirectory",
    "list_directory": "ListDirectory",
    "recursive_create_dir": "MakeDirs",
    "rename": "Rename",
    "stat": "Stat",
    "walk": "Walk",
}


def adapts(*paths: str) -> Callable[[Maker], Maker]:
    """Register a maker for inner names written `module.name`."""

    def register(maker: Maker) -> Maker:
        for path in paths:
            module, _, name = path.rpartition(".")
            _makers[module, name] = maker
        return maker

    return register


def knows(module: str) -> bool:
    """Whether any name of an inner module is made here."""
    return any(owner == module for owner, _ in _makers)


def maker(module: str, name: str) -> Maker | None:
    """What makes `module.name`, or None."""
    if (module, name) in _makers:
        return _makers[module, name]
    if (module, "*") in _makers:
        return functools.partial(_makers[module, "*"], name=name)
    return None


def _table(module: str, names: dict[str, Any]) -> None:
    for name, value in names.items():
        _makers[module, name] = lambda engine, value=value: value


# Tests and their helpers --------------------------------------------------------------------------

_makers["test", "TestCase"] = support.case_class
_makers["googletest", "TestCase"] = support.case_class
_makers["test_util", "TensorFlowTestCase"] = support.case_class
_table("test_util", support.HELPERS)
_table("test", {"mock": unittest.mock, **support.DEVICES})
_table("googletest", {"GetTempDir": support.temporary_folder, **support.DEVICES})


@adapts("test.main", "googletest.main")
def _main(engine: Any) -> Callable[..., None]:
    return support.end_of_file


@adapts("test_util.assert_equal_graph_def")
def _assert_equal_graph_def(engine: Any) -> Any:
    return engine.test.assert_equal_graph_def


@adapts("test_util.assert_meta_graph_protos_equal")
def _assert_meta_graph_protos_equal(engine: Any) -> Callable[..., None]:
    return lambda test_case, one, other: test_case.assertEqual(one, other)


@adapts("test_util.assert_ops_in_graph")
def _assert_ops_in_graph(engine: Any) -> Callable[..., None]:
    def assert_ops_in_graph(expected: dict[str, str], graph: Any) -> None:
        found = {op.name: op.type for op in graph.get_operations()}
        for name, kind in expected.items():
            if found.get(name) != kind:
                raise ValueError(f"Expected op {name!r} of type {kind}, got {found.get(name)}")

    return assert_ops_in_graph


@adapts("context.eager_mode", "context.run_eagerly")
def _eager_mode(engine: Any) -> Callable[[], Any]:
    return support.skip_eager


@adapts("context.graph_mode")
def _graph_mode(engine: Any) -> Callable[[], Any]:
    @contextmanager
    def graph_mode() -> Iterator[None]:
        with engine.Graph().as_default():
            yield

    return graph_mode


_table(
    "context",
    {
        "in_graph_mode": lambda: True,
        "in_eager_mode": lambda: False,
        "executing_eagerly": lambda: False,
        "num_gpus": lambda: 0,
    },
)
_table("compat", {"forward_compatible": lambda *arguments: True})

# Shapes, types and constants ----------------------------------------------------------------------


@adapts("tensor_shape.as_shape")
def _as_shape(engine: Any) -> Callable[[Any], Any]:
    return lambda shape: (
        shape if isinstance(shape, engine.TensorShape) else engine.TensorShape(shape)
    )


@adapts("tensor_shape.as_dimension")
def _as_dimension(engine: Any) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, engine.Dimension) else engine.Dimension(value)


@adapts("tensor_shape.unknown_shape")
def _unknown_shape(engine: Any) -> Callable[..., Any]:
    def unknown_shape(ndims: int | None = None, rank: int | None = None) -> Any:
        rank = ndims if rank is None else rank
        return engine.TensorShape(None if rank is None else [None] * rank)

    return unknown_shape


@adapts("tensor_shape.scalar", "tensor_shape.vector", "tensor_shape.matrix")
def _shape_of(engine: Any) -> Callable[..., Any]:
    return lambda *sizes: engine.TensorShape(list(sizes))


@adapts("tensor_util.MakeNdarray")
def _make_ndarray(engine: Any) -> Any:
    return engine.make_ndarray


@adapts("random_seed.DEFAULT_GRAPH_SEED")
def _default_graph_seed(engine: Any) -> int:
    return support.DEFAULT_GRAPH_SEED


# References have the numbers of their types and a hundred more.
TYPE_NUMBERS |= {f"{name}_REF": number + 100 for name, number in TYPE_NUMBERS.items() if number}


class DataType:
    """The enumeration of the types, as protocol buffers give one."""

    items = staticmethod(TYPE_NUMBERS.items)
    keys = staticmethod(TYPE_NUMBERS.keys)
    values = staticmethod(TYPE_NUMBERS.values)
    Value = staticmethod(TYPE_NUMBERS.__getitem__)


_table("types_pb2", {**TYPE_NUMBERS, "DataType": DataType})


@adapts("dtypes.*")
def _dtype(engine: Any, name: str = "") -> Any:
    """Names such as `float32_ref`, and the plain ones."""
    if name.endswith("_ref"):
        return getattr(engine, name.removesuffix("_ref"))._as_ref
    if hasattr(engine, name):
        return getattr(engine, name)
    raise LookupError(f"{engine.__name__} has no dtype {name!r}")


# Graphs -------------------------------------------------------------------------------------------


@adapts("ops._set_call_cpp_shape_fn", "ops.RegisterShape", "ops.RegisterStatistics")
def _register_nothing(engine: Any) -> Callable[..., Any]:
    """Shape functions written in Python have been without effect since TensorFlow 1.0."""
    return lambda *arguments, **keywords: lambda function: function


@adapts("ops._USE_C_API")
def _uses_c_api(engine: Any) -> bool:
    """Whether graphs are built in C, as they all are today: 1.4 did so, and said so, in Python."""
    return bool(engine.__name__ == "tensorflow")


@adapts("parsing_ops.parse_single_example_v2")
def _parse_single_example(engine: Any) -> Any:
    return engine.parse_single_example


@adapts("ops._NodeDef")
def _node_def(engine: Any) -> Callable[..., Any]:
    def node_def(op_type: str, name: str, device: str | None = None, attrs: Any = None) -> Any:
        node = engine.NodeDef(op=op_type, name=name)
        if device is not None:
            node.device = device(node) if callable(device) else device
        for key, value in (attrs or {}).items():
            node.attr[key].CopyFrom(value)
        return node

    return node_def


@adapts("control_flow_ops.with_dependencies")
def _with_dependencies(engine: Any) -> Callable[..., Any]:
    def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
        with engine.control_dependencies(dependencies):
            return engine.identity(output_tensor, name=name)

    return with_dependencies


def _primitive(name: str) -> Maker:
    def maker(engine: Any) -> Any:
        place = f"{engine.__name__}.core.ops.control_flow_primitives"
        return getattr(importlib.import_module(place), name)

    return maker


for _primitive_name in ("switch", "merge", "enter", "exit", "next_iteration", "loop_cond"):
    adapts(f"control_flow_ops.{_primitive_name}")(_primitive(_primitive_name))
adapts("control_flow_ops._Enter")(_primitive("enter"))
adapts("control_flow_ops._Identity")(_primitive("identity"))
adapts("control_flow_ops._SwitchRefOrTensor", "control_flow_ops.ref_switch")(_primitive("switch"))


@adapts("data_flow_ops.Barrier")
def _barrier(engine: Any) -> Any:
    # It has no public name.
    return importlib.import_module(f"{engine.__name__}.core.ops.queues.barrier").Barrier


@adapts("data_flow_ops.RecordInput")
def _record_input(engine: Any) -> Any:
    return importlib.import_module(f"{engine.__name__}.core.ops.queues.record_input").RecordInput


@adapts("resource_variable_ops.ResourceVariable")
def _resource_variable(engine: Any) -> Any:
    return engine.Variable


@adapts("state_ops.variable_op", "gen_state_ops._variable")
def _variable_op(engine: Any) -> Callable[..., Any]:
    operation = raw_operations.find(engine, "variable_v2") or raw_operations.find(
        engine, "variable"
    )
    if operation is None:
        raise LookupError(f"{engine.__name__} has no operation for a variable")

    def variable_op(
        shape: Any, dtype: Any, name: str = "Variable", set_shape: bool = True, **keywords: Any
    ) -> Any:
        known = engine.TensorShape(shape if set_shape else None)
        return operation(known, dtype, name=name, **keywords)

    return variable_op


@adapts("gradients_impl._hessian_vector_product")
def _hessian_vector_product(engine: Any) -> Callable[..., Any]:
    def product(ys: Any, xs: Any, vectors: Any) -> Any:
        gradients = engine.gradients(ys, xs)
        terms = [
            engine.multiply(gradient, engine.stop_gradient(vector))
            for gradient, vector in zip(gradients, vectors, strict=True)
            if gradient is not None
        ]
        return engine.gradients(terms, xs)

    return product


_makers["op_def_registry", "register_op_list"] = raw_operations.register_op_list

_table("rnn_cell_impl", {"_BIAS_VARIABLE_NAME": "bias", "_WEIGHTS_VARIABLE_NAME": "kernel"})

# Files --------------------------------------------------------------------------------------------


@adapts("file_io.*")
def _file_io(engine: Any, name: str = "") -> Any:
    if name not in FILES:
        raise LookupError(f"tf.gfile has nothing like file_io.{name}")
    return getattr(engine.gfile, FILES[name])


@adapts("file_io.read_file_to_string")
def _read_file_to_string(engine: Any) -> Callable[..., Any]:
    def read_file_to_string(filename: str, binary_mode: bool = False) -> Any:
        with engine.gfile.GFile(filename, "rb" if binary_mode else "r") as file:
            return file.read()

    return read_file_to_string


@adapts("file_io.write_string_to_file", "file_io.atomic_write_string_to_file")
def _write_string_to_file(engine: Any) -> Callable[..., None]:
    def write_string_to_file(filename: str, content: str, overwrite: bool = True) -> None:
        with engine.gfile.GFile(filename, "w") as file:
            file.write(content)

    return write_string_to_file


# Python -------------------------------------------------------------------------------------------


@adapts("tf_inspect.*")
def _tf_inspect(engine: Any, name: str = "") -> Any:
    if name == "getargspec":
        return lambda function: inspect.getfullargspec(function)[:4]
    if not hasattr(inspect, name):
        raise LookupError(f"inspect has no {name!r}")
    return getattr(inspect, name)
