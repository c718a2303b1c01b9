"""The part a node plays when a region is put into groups."""

from __future__ import annotations

from enum import Enum, auto


class Role(Enum):
    """What kind of kernel, if any, computes a node."""

    #: Feeds, constants, variables: names of arrays.
    NAMING = auto()
    #: Another look at the same memory.
    VIEW = auto()
    #: A constant without memory of its own: whoever uses it knows it.
    SPLAT = auto()
    #: Inputs side by side in one array.
    PARTS = auto()
    #: The same elements in another order.
    COPY = auto()
    #: A function of corresponding elements.
    ELEMENTWISE = auto()
    #: Like an element-wise one, with reductions over the last dimension inside; the same shape, or
    #: without the last dimension, comes out.
    ROW = auto()
    #: A reduction over leading dimensions or all of them.
    REDUCTION = auto()
    #: New values of variables, element by element.
    UPDATE = auto()
    PRODUCT = auto()
    CONVOLUTION = auto()
    POOLING = auto()
    GATHER = auto()


#: Roles whose groups other steps may join at their end.
ANCHORS = frozenset({Role.PRODUCT, Role.CONVOLUTION, Role.POOLING})
#: Roles without a kernel of their own.
WITHOUT_KERNEL = frozenset({Role.NAMING, Role.VIEW, Role.SPLAT})
