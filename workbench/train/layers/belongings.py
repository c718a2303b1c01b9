"""What a layer has: variables, losses and updates."""

from __future__ import annotations

import math
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.keys import GraphKeys
from workbench.train.layers.inputs import flatten


class Belongings:
    """The variables, losses and updates of a layer."""

    def __init__(self, trainable: bool = True) -> None:
        #: False takes the variables out of `trainable_weights`.
        self.trainable = trainable
        #: True once the variables are made.
        self.built = False
        self._trainable_weights: list[Any] = []
        self._non_trainable_weights: list[Any] = []
        self._updates: list[Any] = []
        self._losses: list[Any] = []
        self._per_input: dict[Any, list[Any]] = {}

    @property
    def trainable_weights(self) -> list[Any]:
        """The variables that are trained, none where the layer is not `trainable`."""
        return list(self._trainable_weights) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The variables that are not trained."""
        frozen = [] if self.trainable else self._trainable_weights
        return [*frozen, *self._non_trainable_weights]

    @property
    def weights(self) -> list[Any]:
        """All variables, the trained ones first."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_variables(self) -> list[Any]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    @property
    def variables(self) -> list[Any]:
        """The same as `weights`."""
        return self.weights

    def count_params(self) -> int:
        """The number of elements of its variables; ValueError before they are made."""
        if not self.built:
            name = getattr(self, "name", type(self).__name__)
            raise ValueError(
                f"You tried to call `count_params` on {name}, but the layer isn't built. You "
                f"can build it manually via: `{name}.build(batch_input_shape)`."
            )
        return sum(math.prod(weight.get_shape().as_list()) for weight in self.weights)

    @property
    def updates(self) -> list[Any]:
        """The operations that are to run in each training step, such as moving averages."""
        return self._updates

    @property
    def losses(self) -> list[Any]:
        """The losses of its regularizers."""
        return self._losses

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Adds operations to run in each training step; they depend on `inputs`, or on nothing."""
        new = list(updates) if isinstance(updates, (list, tuple)) else [updates]
        self._updates.extend(new)
        self._per_input.setdefault(("update", _identity(inputs)), []).extend(new)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds losses to the layer and to the collection REGULARIZATION_LOSSES."""
        new = list(losses) if isinstance(losses, (list, tuple)) else [losses]
        self._losses.extend(new)
        self._per_input.setdefault(("loss", _identity(inputs)), []).extend(new)
        add_to_collection(new, GraphKeys.REGULARIZATION_LOSSES)

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on `inputs`; for None those that depend on no input."""
        return list(self._per_input.get(("update", _identity(inputs)), []))

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on `inputs`; for None those that depend on no input."""
        return list(self._per_input.get(("loss", _identity(inputs)), []))


def _identity(inputs: Any) -> Any:
    """What tells inputs apart; tensors of a graph live as long as it does."""
    return None if inputs is None else tuple(id(tensor) for tensor in flatten(inputs))


def add_to_collection(values: list[Any], key: str) -> None:
    """Adds to a collection of the default graph what is not in it yet."""
    collection = get_default_graph().get_collection_ref(key)
    known = {id(value) for value in collection}
    collection.extend(value for value in values if id(value) not in known)
