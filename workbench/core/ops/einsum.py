"""`einsum`: sums of products over labelled axes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entry, merge_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.contraction import in_order, product_of, static_or_packed
from workbench.core.ops.static_shapes import size_or_dynamic

_EQUATION = re.compile(r"^([a-zA-Z,]*)(->([a-zA-Z]*))?$")


@dataclass
class _Term:
    """A tensor with a label for each of its axes."""

    tensor: Any
    labels: str

    def size(self, label: str) -> Any:
        """The size along a label: an int, or a scalar tensor."""
        return size_or_dynamic(self.tensor, self.labels.index(label))

    def sizes(self, labels: str) -> list[Any]:
        """The sizes along labels."""
        return [self.size(label) for label in labels]

    def ordered(self, labels: str) -> Any:
        """The tensor with its axes in the order of `labels`."""
        return in_order(self.tensor, [self.labels.index(label) for label in labels])

    def summed(self, keep: str) -> _Term:
        """The term summed over the labels that are not in `keep`."""
        axes = [i for i, label in enumerate(self.labels) if label not in keep]
        if not axes:
            return self
        rest = "".join(label for label in self.labels if label in keep)
        return _Term(api.reduce_sum(self.tensor, axes), rest)


def parse_equation(equation: str, count: int) -> tuple[list[str], str]:
    """The labels of each input and of the output; ValueError where the equation is not one."""
    text = equation.replace(" ", "")
    match = _EQUATION.match(text)
    if match is None:
        raise ValueError(f"Indices have incorrect format: {equation}")
    inputs = match.group(1).split(",")
    if len(inputs) != count:
        raise ValueError(
            f"Incorrect number of arguments for equation {equation!r}: {len(inputs)} terms, "
            f"{count} tensors"
        )
    for labels in inputs:
        if len(set(labels)) != len(labels):
            raise ValueError(f"Subscript not supported: an axis appears more than once: {labels}")
    if match.group(2) is not None:
        output = match.group(3)
    else:
        counts = "".join(inputs)
        output = "".join(sorted(label for label in set(counts) if counts.count(label) == 1))
    if len(set(output)) != len(output):
        raise ValueError(f"Subscript not supported: an output axis is repeated: {output}")
    missing = set(output) - set("".join(inputs))
    if missing:
        raise ValueError(f"Unknown output axes: {', '.join(sorted(missing))} in {equation}")
    return inputs, output


def _check_sizes(terms: list[_Term]) -> None:
    known: dict[str, Entry] = {}
    for term in terms:
        entries = term.tensor.entries
        if entries is None:
            continue
        for label, entry in zip(term.labels, entries, strict=True):
            try:
                known[label] = merge_entries(known.get(label), entry)
            except ValueError:
                raise ValueError(
                    f"Dimensions must be equal, but are {known[label]} and {entry}: both are "
                    f"labelled {label!r}"
                ) from None


def _combine(a: _Term, b: _Term, keep: str) -> _Term:
    """The product of two terms, summed over the labels that nobody asks for later."""
    a, b = a.summed(keep + b.labels), b.summed(keep + a.labels)
    shared = "".join(label for label in a.labels if label in b.labels)
    batch = "".join(label for label in shared if label in keep)
    inner = "".join(label for label in shared if label not in keep)
    only_a = "".join(label for label in a.labels if label not in shared)
    only_b = "".join(label for label in b.labels if label not in shared)
    if not inner:
        return _spread(a, b, batch, only_a, only_b)
    if batch and not only_a and not only_b:
        # Products of single rows and columns, one per batch element: quicker as one product.
        both = _Term(a.tensor * b.ordered(a.labels), a.labels)
        return both.summed(batch)
    left, turned_a = _matrices(a, batch, only_a, inner)
    right, turned_b = _matrices(b, batch, inner, only_b)
    product = api.matmul(left, right, transpose_a=turned_a, transpose_b=turned_b)
    if len(only_a) != 1 or len(only_b) != 1:
        sizes = a.sizes(batch) + a.sizes(only_a) + b.sizes(only_b)
        product = api.reshape(product, static_or_packed(sizes))
    return _Term(product, batch + only_a + only_b)


def _spread(a: _Term, b: _Term, batch: str, only_a: str, only_b: str) -> _Term:
    """A product with nothing to sum: `a` and `b` are broadcast against each other."""
    left, right = a.ordered(batch + only_a), b.ordered(batch + only_b)
    if only_a and only_b:
        sizes = a.sizes(batch) + a.sizes(only_a) + [1] * len(only_b)
        left = api.reshape(left, static_or_packed(sizes))
    if only_a:
        sizes = b.sizes(batch) + [1] * len(only_a) + b.sizes(only_b)
        right = api.reshape(right, static_or_packed(sizes))
    elif only_b:
        left = api.reshape(left, static_or_packed(a.sizes(batch) + [1] * len(only_b)))
    return _Term(left * right, batch + only_a + only_b)


def _matrices(term: _Term, batch: str, rows: str, columns: str) -> tuple[Tensor, bool]:
    """The term as matrices of `rows` against `columns`, and whether they are transposed ones."""
    turned = term.labels == batch + columns + rows and bool(rows)
    first, last = (columns, rows) if turned else (rows, columns)
    moved = term.ordered(batch + first + last)
    if len(first) == 1 and len(last) == 1:
        return moved, turned
    sizes = [*term.sizes(batch), product_of(term.sizes(first)), product_of(term.sizes(last))]
    return api.reshape(moved, static_or_packed(sizes)), turned


def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """The sum of products that `equation` writes with a label for each axis.

    "ij,jk->ik" is a matrix product, "ij->ji" a transpose, "bij,bjk->bik" a product of batches;
    without "->" the labels that occur once are kept, in alphabetical order. A label may occur once
    in each term. Raises ValueError where the equation or the sizes do not fit.

    >>> import workbench as tf
    >>> tf.einsum("ij,jk->ik", [[1, 2]], [[3], [4]]).eval().tolist()
    [[11]]
    """
    name = kwargs.pop("name", None)
    if kwargs:
        unknown = ", ".join(sorted(kwargs))
        raise TypeError(f"invalid keyword arguments for this function: {unknown}")
    with name_scope(name, "einsum", list(inputs)) as scope:
        labels, output = parse_equation(equation, len(inputs))
        terms = []
        for value, names in zip(inputs, labels, strict=True):
            tensor = convert_to_tensor(value, name="input")
            if tensor.shape.ndims is None:
                tensor = api.identity(tensor)
                tensor.set_shape([None] * len(names))
            if tensor.shape.ndims != len(names):
                raise ValueError(
                    f"Subscript {names!r} has {len(names)} labels for a tensor of shape "
                    f"{tensor.shape}"
                )
            terms.append(_Term(tensor, names))
        _check_sizes(terms)
        result = terms[0]
        for i, term in enumerate(terms[1:], 2):
            result = _combine(result, term, output + "".join(t.labels for t in terms[i:]))
        result = result.summed(output)
        final: Tensor = api.identity(result.ordered(output), name=scope)
        return final
