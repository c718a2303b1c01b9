"""Hyperparameters by name: `tf.contrib.training.HParams`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

#: "name=value" or "name[index]=value"; a value is a list in brackets, or goes to the next comma.
_ASSIGNMENT = re.compile(
    r"\s*(?P<name>[a-zA-Z][\w.]*)(\[\s*(?P<index>\d+)\s*\])?\s*=\s*"
    r"((?P<value>[^,\[]*)|\[(?P<values>[^\]]*)\])\s*($|,)"
)


class HParams:
    """Values by name, each of the type it was first given.

    >>> parameters = HParams(rate=0.1, units=[32, 64], activation="relu")
    >>> parameters.parse("rate=0.5,units=[8,8]").rate, parameters.units
    (0.5, [8, 8])
    """

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any) -> None:
        if hparam_def is not None:
            raise ValueError("hparam_def messages are not supported; give the values by name.")
        self._types: dict[str, tuple[type, bool]] = {}
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Adds a value: a number, bool or text, or a list of them.

        Raises:
          ValueError: the name is taken, or the list is empty.
        """
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        if isinstance(value, (list, tuple)):
            if not value:
                raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
            self._types[name] = (type(value[0]), True)
        else:
            self._types[name] = (type(value), False)
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Changes a value.

        Raises:
          KeyError: there is none of that name.
          ValueError: a list is given for one value, or one value for a list, or another type.
        """
        kind, is_list = self._types[name]
        if isinstance(value, list) != is_list:
            expected = "Must pass a list" if is_list else "Must not pass a list"
            raise ValueError(
                f"{expected} for multi-valued parameter: {name}."
                if is_list
                else f"{expected} for single-valued parameter: {name}."
            )
        cast = [_cast(name, kind, each) for each in value] if is_list else _cast(name, kind, value)
        setattr(self, name, cast)

    def del_hparam(self, name: str) -> None:
        """Removes a value, if it is there."""
        if name in self._types:
            delattr(self, name)
            del self._types[name]

    def parse(self, values: str) -> HParams:
        """Changes values by a text such as "rate=0.1,units=[8,16],layers[1]=4".

        Raises:
          ValueError: the text has no such form, or a value is of another type.
        """
        return self.override_from_dict(
            parse_values(values, {name: kind for name, (kind, _) in self._types.items()})
        )

    def override_from_dict(self, values_dict: Mapping[str, Any]) -> HParams:
        """Changes values; those of a dict by index change elements of lists."""
        for name, value in values_dict.items():
            if isinstance(value, dict):
                changed = list(getattr(self, name))
                for index, element in value.items():
                    if index >= len(changed):
                        raise ValueError(f"Index {index} is out of range for parameter {name}.")
                    changed[index] = element
                value = changed
            self.set_hparam(name, value)
        return self

    #: Names of earlier and later versions.
    set_from_map = override_from_dict

    def set_model_structure(self, model_structure: Any) -> None:
        """Notes the structure of the model."""
        self._model_structure = model_structure

    def get_model_structure(self) -> Any:
        """The structure of the model."""
        return self._model_structure

    def parse_json(self, values_json: str) -> HParams:
        """Changes values by a JSON object."""
        return self.override_from_dict(json.loads(values_json))

    def to_json(self, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        """The values as a JSON object."""
        return json.dumps(self.values(), indent=indent, separators=separators, sort_keys=sort_keys)

    def values(self) -> dict[str, Any]:
        """The values by name."""
        return {name: getattr(self, name) for name in self._types}

    def get(self, key: str, default: Any = None) -> Any:
        """A value, or `default` where there is none of that name.

        Raises:
          ValueError: `default` is of another type than the value.
        """
        if key not in self._types:
            return default
        if default is not None:
            kind, is_list = self._types[key]
            for each in default if is_list and isinstance(default, list) else [default]:
                if is_list != isinstance(default, list):
                    raise ValueError(f"Default for hparam '{key}' is a list only where it is one")
                _cast(key, kind, each)
        return getattr(self, key)

    def __contains__(self, key: str) -> bool:
        return key in self._types

    def __str__(self) -> str:
        return str(sorted(self.values().items()))

    def __repr__(self) -> str:
        return f"HParams({self})"


def _cast(name: str, kind: type, value: Any) -> Any:
    """A value as the type of a parameter, where nothing is lost by it."""
    if value is None or kind is type(None):
        return value
    if isinstance(value, kind) and isinstance(value, bool) == (kind is bool):
        return value
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float and is_number:
        return float(value)
    if kind is int and is_number and float(value).is_integer():
        return int(value)
    raise ValueError(f"Could not cast hparam '{name}' of type '{kind}' from value {value!r}")


def parse_values(values: str, type_map: Mapping[str, type]) -> dict[str, Any]:
    """The values of a text such as "rate=0.1,units=[8,16],layers[1]=4".

    An element of a list is a dict by its index.

    Raises:
      ValueError: the text has no such form, names what is not in `type_map`, or a value is of
        another type.

    >>> parse_values("a=1,b[2]=x", {"a": int, "b": str})
    {'a': 1, 'b': {2: 'x'}}
    """
    results: dict[str, Any] = {}
    at = 0
    while at < len(values):
        match = _ASSIGNMENT.match(values, at)
        if match is None:
            raise ValueError(f"Malformed hyperparameter value: {values[at:]}")
        at = match.end()
        name = match["name"]
        if name not in type_map:
            raise ValueError(f"Unknown hyperparameter type for {name}")
        kind = type_map[name]
        if match["values"] is not None:
            if match["index"] is not None:
                raise ValueError(f"Assignment of a list to a list index: {match[0]}")
            parts = [part for part in re.split("[ ,]+", match["values"].strip()) if part]
            value: Any = [_parsed(name, kind, part) for part in parts]
        else:
            value = _parsed(name, kind, match["value"].strip())
        if match["index"] is None:
            if name in results:
                raise ValueError(f"Multiple assignments to variable '{name}'")
            results[name] = value
        else:
            elements = results.setdefault(name, {})
            index = int(match["index"])
            if not isinstance(elements, dict) or index in elements:
                raise ValueError(f"Multiple assignments to variable '{name}[{index}]'")
            elements[index] = value
    return results


def _parsed(name: str, kind: type, text: str) -> Any:
    if kind is bool:
        if text.lower() in ("true", "1"):
            return True
        if text.lower() in ("false", "0"):
            return False
    elif kind is str:
        return text
    else:
        try:
            return kind(text)
        except (TypeError, ValueError):
            pass
    raise ValueError(f"Could not parse hparam '{name}' of type {kind.__name__!r} from {text!r}")
