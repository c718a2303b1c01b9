"""Hyperparameters: scalars of a graph that a run may change while it trains.

In the graph a hyperparameter is a placeholder with a default, so nothing needs initialising, no
saver sees it, and outside a run the default counts. What is known of it stands as text in the
graph's collection "hyperparameters", and so goes wherever a meta graph goes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.dtypes import DType
from workbench.core.graph.graph import Graph
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.constant import constant
from workbench.core.ops.placeholders import placeholder_with_default

COLLECTION = "hyperparameters"

Value = float | int | bool | str

#: Arguments of `run.fork` and the like, which a hyperparameter's name would hide.
_TAKEN_NAMES = frozenset(
    "step name paused steps values self pool worker replicas strategy encoding".split()
)
_INT_LIMIT = 2**31


@dataclass(frozen=True)
class Hyperparameter:
    """What is known of a hyperparameter: its name, tensor, type, default and admitted values."""

    name: str
    #: The name of its tensor in the graph.
    tensor: str
    #: "float", "int", "bool" or "choice".
    type: str
    value: Value
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Value, ...] | None = None

    def checked(self, value: Any) -> Value:
        """`value` as the plain number, bool or string that a run feeds.

        Raises:
          TypeError: it is of another type.
          ValueError: it is out of range, or none of the choices.

        >>> Hyperparameter("lr", "lr:0", "float", 0.1, low=0.0, high=1.0).checked(np.float32(0.5))
        0.5
        """
        plain = _plain(self.name, value)
        if self.type == "choice":
            return self._chosen(plain)
        accepted: dict[str, tuple[type, ...]] = {
            "float": (float, int),
            "int": (int,),
            "bool": (bool,),
        }
        is_bool = isinstance(plain, bool)
        if not isinstance(plain, accepted[self.type]) or is_bool != (self.type == "bool"):
            raise TypeError(
                f"{self.name} is {_with_article(self.type)}, but got {value!r} of type "
                f"{type(value).__name__}"
            )
        if self.type == "float":
            plain = float(plain)
            if not math.isfinite(plain) or abs(plain) > float(np.finfo(np.float32).max):
                raise ValueError(f"{self.name} must be a finite number, but got {value!r}")
        if self.type == "int" and not -_INT_LIMIT <= int(plain) < _INT_LIMIT:
            raise ValueError(f"{self.name} must fit into 32 bits, but got {value!r}")
        too_low = self.low is not None and plain < self.low  # type: ignore[operator]
        too_high = self.high is not None and plain > self.high  # type: ignore[operator]
        if too_low or too_high:
            raise ValueError(f"{self.name} must be {self._range()}, but got {value!r}")
        return plain

    def _chosen(self, plain: Value) -> Value:
        assert self.choices is not None
        for choice in self.choices:
            same_kind = isinstance(choice, (bool, str)) == isinstance(plain, (bool, str))
            if same_kind and choice == plain:
                return choice
        listed = ", ".join(map(repr, self.choices))
        raise ValueError(f"{self.name} must be one of {listed}, but got {plain!r}")

    def _range(self) -> str:
        if self.low is None:
            return f"at most {self.high:g}"
        if self.high is None:
            return f"at least {self.low:g}"
        return f"between {self.low:g} and {self.high:g}"

    def fed(self, value: Value) -> Any:
        """A checked value as a session takes it fastest: a NumPy scalar of the tensor's dtype."""
        dtype = self.dtype
        if dtype is dtypes.string:
            return np.array(str(value).encode(), dtype=object)
        return dtype.as_numpy_dtype(value)

    @property
    def dtype(self) -> DType:
        """The dtype of its tensor."""
        return _dtype(self.type, self.choices)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        found = asdict(self)
        found["choices"] = None if self.choices is None else list(self.choices)
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Hyperparameter:
        """From what `to_json` gave."""
        values = dict(found)
        if values.get("choices") is not None:
            values["choices"] = tuple(values["choices"])
        return cls(**values)


def hyperparameter(
    name: str,
    value: Any,
    low: float | None = None,
    high: float | None = None,
    log: bool = False,
    choices: Sequence[Any] | None = None,
) -> Tensor:
    """A scalar tensor whose value a run may change while it trains.

    Outside a run its value is `value`. It is float32, int32 for an int, bool for a bool; with
    `choices` it is as they are: numbers, bools or strings.

    Args:
      name: the name under which `run.set` and `run.fork` know it.
      value: the first value.
      low, high: the least and the greatest value, where there are any.
      log: whether a slider shows it on a logarithmic scale; `low` must be positive then.
      choices: all that it may be.

    Raises:
      TypeError: a value is no number, bool or string.
      ValueError: the value is out of range, or the graph has a hyperparameter of this name.

    >>> import workbench as wb
    >>> lr = wb.hyperparameter("lr", 0.1, low=1e-4, high=1.0, log=True)
    >>> lr
    <tf.Tensor 'lr:0' shape=() dtype=float32>
    >>> float(lr.eval() * 10)
    1.0
    """
    graph = get_default_graph()
    _check_name(name, hyperparameters_of(graph))
    plain = _plain(name, value)
    options = None if choices is None else tuple(_plain(name, c) for c in choices)
    kind = _kind(name, plain, low, high, options)
    low, high = _checked_range(name, kind, low, high, log)
    described = Hyperparameter(name, "", kind, plain, low, high, log, options)
    default = described.checked(plain)
    tensor = placeholder_with_default(
        constant(default, described.dtype, name=f"{name}/default"), [], name=name
    )
    known = described.to_json() | {"tensor": tensor.name, "value": default}
    graph.add_to_collection(COLLECTION, json.dumps(known))
    return tensor


def hyperparameters_of(graph: Graph) -> dict[str, Hyperparameter]:
    """The hyperparameters of a graph by name, in the order in which they were made."""
    found: dict[str, Hyperparameter] = {}
    for text in graph.get_collection(COLLECTION):
        described = Hyperparameter.from_json(json.loads(text))
        found[described.name] = described
    return found


def add_hyperparameters(graph: Graph, described: Sequence[Hyperparameter]) -> None:
    """Makes the hyperparameters of a run known to a graph that was read from a file."""
    known = hyperparameters_of(graph)
    for each in described:
        if each.name not in known:
            graph.add_to_collection(COLLECTION, json.dumps(each.to_json()))


def checked_values(
    known: Mapping[str, Hyperparameter], values: Mapping[str, Any]
) -> dict[str, Value]:
    """New values by name, all of them checked before any counts.

    Raises:
      ValueError: there is no hyperparameter of a name, or a value is out of range.
      TypeError: a value is of the wrong type.
    """
    for name in values:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise ValueError(f"There is no hyperparameter {name!r}; the graph has {listed}")
    return {name: known[name].checked(value) for name, value in values.items()}


def _check_name(name: Any, known: Mapping[str, Hyperparameter]) -> None:
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii():
        raise ValueError(
            f"A hyperparameter's name must be a name of Python, such as 'lr', but got {name!r}"
        )
    if name in _TAKEN_NAMES or name.startswith("_"):
        raise ValueError(f"A hyperparameter cannot be called {name!r}: choose another name")
    if name in known:
        raise ValueError(
            f"The graph has a hyperparameter {name!r} already, the tensor "
            f"{known[name].tensor!r}: use that, or another name"
        )


def _plain(name: str, value: Any) -> Value:
    if isinstance(value, np.ndarray) and not value.ndim:
        value = value[()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode()
    if not isinstance(value, (bool, int, float, str)):
        raise TypeError(
            f"{name} must be a number, a bool or a string, but got {value!r} of type "
            f"{type(value).__name__}"
        )
    return value


def _kind(name: str, value: Value, low: Any, high: Any, choices: tuple[Value, ...] | None) -> str:
    if choices is not None:
        if low is not None or high is not None:
            raise ValueError(f"{name} has choices, so it can have neither low nor high")
        if not choices or len(set(choices)) != len(choices):
            raise ValueError(f"The choices of {name} must differ, and there must be some")
        kinds = {_family(c) for c in choices}
        if len(kinds) > 1:
            raise TypeError(f"The choices of {name} must be all numbers, all bools or all strings")
        return "choice"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        raise TypeError(f"{name} is the string {value!r}: strings need choices=[...]")
    if isinstance(value, int) and not isinstance(low, float) and not isinstance(high, float):
        return "int"
    return "float"


def _family(value: Value) -> str:
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "number"


def _checked_range(
    name: str, kind: str, low: Any, high: Any, log: bool
) -> tuple[float | None, float | None]:
    for bound in (low, high):
        if bound is not None and (
            isinstance(bound, bool)
            or not isinstance(bound, (int, float, np.integer, np.floating))
            or not math.isfinite(bound)
        ):
            raise TypeError(f"The bounds of {name} must be finite numbers, but got {bound!r}")
    if kind == "bool" and (low is not None or high is not None):
        raise ValueError(f"{name} is a bool, so it can have neither low nor high")
    low = low if low is None or kind == "int" else float(low)
    high = high if high is None or kind == "int" else float(high)
    if low is not None and high is not None and not low < high:
        raise ValueError(f"low must be below high for {name}, but got {low!r} and {high!r}")
    if log and (low is None or low <= 0):
        raise ValueError(f"A logarithmic scale needs a positive low for {name}, but got {low!r}")
    return low, high


def _dtype(kind: str, choices: tuple[Value, ...] | None) -> DType:
    if kind == "choice":
        assert choices is not None
        family = _family(choices[0])
        if family == "number":
            return dtypes.int32 if all(isinstance(c, int) for c in choices) else dtypes.float32
        return dtypes.bool if family == "bool" else dtypes.string
    return {"float": dtypes.float32, "int": dtypes.int32, "bool": dtypes.bool}[kind]


def _with_article(kind: str) -> str:
    return {"float": "a number", "int": "an integer", "bool": "a bool"}[kind]
