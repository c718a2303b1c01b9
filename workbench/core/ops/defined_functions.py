"""Functions of tensors with types: put in place wherever they are called (`tf.Defun`).

A call adds the operations of the function's body, and one that gives their results under the name
of the call. The function as such, for the library of a graph, is made when somebody asks for it.
"""

from __future__ import annotations

import inspect
import re
import weakref
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from workbench.core.gradients.registry import register_local
from workbench.core.graph.body_graph import VARIABLES
from workbench.core.graph.context import control_dependencies, get_default_graph, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.function_graph import FunctionGraph, trace
from workbench.core.graph.function_library import FunctionNames, function_def, write_bodies
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.ops.creation import create
from workbench.core.ops.state.scopes import VariableScope, get_variable_scope
from workbench.core.ops.state.variable_scope import pure_variable_scope
from workbench.core.ops.state.variable_store import AUTO_REUSE


class Defun:
    """Makes a Python function on tensors one that is called like an operation.

    Args:
      input_types: the types of its arguments; without any they are those of what it is called with.
      func_name: what it is called in graphs.
      grad_func: a defined function that gives the gradients of the arguments, called with the
        arguments and the gradients of the results.
      python_grad_func: a Python function that gives them, called with the operation and the
        gradients of the results.
      out_names: the names of the results in the function's definition.
      shape_func: a Python function that gives the static shapes of the results of an operation.
      capture_by_value, noinline: taken, and of no effect: a function is put in place where it is
        called, and uses what is outside of it as it is.

    Variables that it makes with `tf.get_variable` are those of the first call in a graph.

    >>> import workbench as tf
    >>> @tf.Defun(tf.float32, tf.float32)
    ... def both(x, y):
    ...     return x + y, x - y
    >>> total, difference = both(tf.constant(3.0), tf.constant(1.0), name="my_call")
    >>> total.name, float(total.eval()), float(difference.eval())
    ('my_call:0', 4.0, 2.0)
    """

    def __init__(
        self,
        *input_types: Any,
        func_name: str | None = None,
        grad_func: DefinedFunction | None = None,
        python_grad_func: Callable[..., Any] | None = None,
        out_names: Sequence[str] | None = None,
        shape_func: Callable[..., Any] | None = None,
        capture_by_value: bool = False,
        noinline: bool = False,
    ) -> None:
        if grad_func is not None and python_grad_func is not None:
            raise ValueError("Gradient defined twice: pass grad_func or python_grad_func, not both")
        self._types = [as_dtype(t) for t in input_types]
        self._options = _Options(
            func_name, grad_func, python_grad_func, out_names, shape_func, noinline
        )

    def __call__(self, function: Callable[..., Any]) -> DefinedFunction:
        """The function; ValueError where its arguments do not fit the types."""
        if not callable(function):
            raise ValueError(f"func {function!r} must be callable")
        parameters = inspect.signature(function).parameters.values()
        if any(p.kind is p.VAR_KEYWORD or p.default is not p.empty for p in parameters):
            raise ValueError(
                "Functions with argument defaults or keyword arguments are not supported."
            )
        takes_any = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        count = len(parameters)
        if self._types and not takes_any and count != len(self._types):
            which = "more" if count > len(self._types) else "fewer"
            raise ValueError(
                f"The function has {which} arguments than the number of specified input types."
            )
        types = self._types if self._types or not count else None
        return DefinedFunction(function, types, None if takes_any else count, self._options)


class _Options(NamedTuple):
    """What a decorator says of its function."""

    name: str | None
    gradient: DefinedFunction | None
    python_gradient: Callable[..., Any] | None
    out_names: Sequence[str] | None
    shapes: Callable[..., Any] | None
    noinline: bool


class _Signature(NamedTuple):
    """The body of a function: what a definition is written of."""

    arguments: list[Tensor]
    results: list[Tensor]


class CalledFunction:
    """A call as the gradient of its function sees it: an operation with its inputs and outputs."""

    def __init__(self, op: Operation, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        self.op = op
        self.inputs, self.outputs = list(inputs), list(outputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)


class DefinedFunction:
    """A function of tensors; calling it adds what it does to the default graph."""

    def __init__(
        self,
        function: Callable[..., Any],
        types: Sequence[DType] | None,
        count: int | None,
        options: _Options,
    ) -> None:
        self._function = function
        self._types, self._count = types, count
        self._options = options
        label = options.name or getattr(function, "__name__", type(function).__name__)
        # Some have names that operations cannot have: "<lambda>".
        self._label = re.sub(r"[^A-Za-z0-9_.]", "", str(label))
        #: The variable scopes of the first calls by graph.
        self._scopes: weakref.WeakKeyDictionary[Graph, VariableScope] = weakref.WeakKeyDictionary()
        self._body: FunctionGraph | None = None
        self._definition: Any = None

    # -- calls -------------------------------------------------------------------------------

    def __call__(self, *inputs: Any, name: str | None = None, **options: Any) -> Any:
        """The results of a call: a tensor, a tuple of them, or an operation where there is none.

        ValueError for a wrong number of arguments.
        """
        options.pop("noinline", None)
        if options:
            raise ValueError(f"Unknown keyword arguments: {', '.join(options)}")
        expected = self._count if self._types is None else len(self._types)
        if expected is not None and len(inputs) != expected:
            raise ValueError(f"Expected number of arguments: {expected}, received: {len(inputs)}")
        types: Sequence[DType | None] = self._types or [None] * len(inputs)
        with name_scope(name, self._label, inputs) as scope:
            tensors = [convert_to_tensor(v, dtype=t) for v, t in zip(inputs, types, strict=True)]
            graph = get_default_graph()
            before = len(graph._operations)
            results = self._results(self._run(graph, tensors))
            effects = [op for op in graph._operations[before:] if _has_effect(op)]
            with control_dependencies(effects):
                call = self._finish(scope, tensors, results)
        if not results:
            return call.op
        outputs = call.outputs
        if self._options.shapes is not None:
            for output, shape in zip(outputs, self._options.shapes(call), strict=True):
                output.set_shape(shape)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _run(self, graph: Graph, inputs: Sequence[Tensor]) -> Any:
        """What the function returns, with the variables of its first call."""
        known = self._scopes.get(graph)
        if known is None:
            self._scopes[graph] = get_variable_scope()
            return self._function(*inputs)
        with pure_variable_scope(known, reuse=AUTO_REUSE):
            return self._function(*inputs)

    @staticmethod
    def _results(returned: Any) -> list[Tensor]:
        if returned is None or isinstance(returned, Operation):
            return []
        values = list(returned) if isinstance(returned, (list, tuple)) else [returned]
        if any(value is None for value in values):
            raise ValueError("Function can not return None.")
        return [convert_to_tensor(value) for value in values]

    def _finish(
        self, scope: str, inputs: Sequence[Tensor], results: Sequence[Tensor]
    ) -> CalledFunction:
        """The operation that gives the results, with the gradient of the function."""
        if not results:
            return CalledFunction(create("NoOp", scope), inputs, ())
        if self._options.gradient is None and self._options.python_gradient is None:
            op = create("IdentityN", scope, input=list(results))
            return CalledFunction(op, inputs, op.outputs)
        # The way back through the results is closed, the one through the inputs is the function's.
        name = register_local(lambda op, *gradients: self._gradients(op, inputs, gradients))
        with get_default_graph()._attr_scope({"_gradient_function": name}):
            op = create("IdentityN", scope, input=[*results, *inputs])
        return CalledFunction(op, inputs, op.outputs[: len(results)])

    def _gradients(
        self, op: Operation, inputs: Sequence[Tensor], gradients: Sequence[Any]
    ) -> list[Any]:
        count = len(op.outputs) - len(inputs)
        if self._options.python_gradient is not None:
            call = CalledFunction(op, inputs, op.outputs[:count])
            found = self._options.python_gradient(call, *gradients[:count])
        else:
            assert self._options.gradient is not None
            found = self._options.gradient(*inputs, *gradients[:count])
        given = list(found) if isinstance(found, (list, tuple)) else [found]
        if len(given) != len(inputs):
            raise ValueError(
                f"The gradient function of {self._label!r} gave {len(given)} gradients for "
                f"{len(inputs)} arguments"
            )
        return [None] * count + given

    # -- the function itself -----------------------------------------------------------------

    def instantiate(self, input_types: Sequence[Any]) -> DefinedFunction:
        """The function for arguments of these types, where none were declared."""
        if self._types is not None:
            return self
        types = [as_dtype(t).base_dtype for t in input_types]
        return DefinedFunction(self._function, types, self._count, self._options)

    @property
    def declared_input_types(self) -> list[DType]:
        """The types of the arguments. ValueError where none were declared."""
        if self._types is None:
            raise ValueError(f"{self._label!r} has the types of what it is called with")
        return list(self._types)

    @property
    def captured_inputs(self) -> list[Tensor]:
        """The tensors from outside that the function uses."""
        assert self.definition is not None and self._body is not None
        return list(self._body.captured)

    @property
    def name(self) -> str:
        """What the function is called in graphs."""
        return str(self.definition.signature.name)

    @property
    def definition(self) -> Any:
        """The function as a `FunctionDef`; what it captures are its last arguments."""
        if self._definition is None:
            types = self.declared_input_types
            self._body, returned = trace(
                get_default_graph(), self._function, types, [None] * len(types), tuple
            )
            with self._body.as_default():
                results = self._results(returned)
            self._definition = self._written(self._body, results)
        return self._definition

    def _written(self, body: FunctionGraph, results: list[Tensor]) -> Any:
        signature = _Signature([*body.arguments, *body.capture_placeholders], results)
        definition = function_def(self._label, signature, FunctionNames(body))
        names = self._options.out_names
        if names is not None:
            if len(names) != len(results):
                raise ValueError(
                    f"Length of out_names ({len(names)}) does not match number of outputs "
                    f"({len(results)}): {', '.join(names)}"
                )
            for entry, name in zip(definition.signature.output_arg, names, strict=True):
                definition.ret[name] = definition.ret.pop(entry.name)
                entry.name = name
        definition.signature.description = inspect.getdoc(self._function) or ""
        if self._options.noinline:
            definition.attr["_noinline"].b = True
        if self._options.name is None:
            code = zlib.crc32(definition.SerializeToString(deterministic=True))
            definition.signature.name = f"{self._label}_{code:08x}"
        return definition

    def add_to_graph(self, graph: Graph) -> None:
        """Adds the function, and those of its conditionals and loops, to the graph's library."""
        definition = self.definition
        assert self._body is not None
        for each in [definition, *write_bodies(self._body)]:
            graph._functions.setdefault(each.signature.name, each)


def _has_effect(op: Operation) -> bool:
    declaration = registry.lookup(op.type)
    return declaration is not None and declaration.stateful and op.type not in VARIABLES
