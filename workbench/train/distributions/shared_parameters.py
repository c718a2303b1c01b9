"""Parameters that several kinds of distributions have."""

from __future__ import annotations

from typing import Any, ClassVar

from workbench.core.graph.context import name_scope
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.train.distributions.distribution import FULLY_REPARAMETERIZED, Distribution
from workbench.train.distributions.support import checked, parameters, positive


class LocationAndScale(Distribution):
    """What distributions have in common that are one, moved by `loc` and made `scale` as wide."""

    _batch_parameters: ClassVar[dict[str, int]] = {"loc": 0, "scale": 0}

    def __init__(
        self,
        loc: Any,
        scale: Any,
        validate_args: bool,
        allow_nan_stats: bool,
        given: dict[str, Any],
        name: str,
    ) -> None:
        with name_scope(name):
            loc, scale = parameters(loc, scale, names=("loc", "scale"))
            self._loc, self._scale = checked(validate_args, lambda: positive(scale), [loc, scale])
        super().__init__(
            self._loc.dtype,
            FULLY_REPARAMETERIZED,
            validate_args,
            allow_nan_stats,
            given,
            name=name,
        )

    @property
    def loc(self) -> Tensor:
        """The mean."""
        return self._loc

    @property
    def scale(self) -> Tensor:
        """How wide it is."""
        return self._scale


class Weighted:
    """What distributions have in common whose outcomes are as likely as `probs` says."""

    _logits: Tensor
    _probs: Tensor

    @property
    def logits(self) -> Tensor:
        """Logarithms of the probabilities, up to a constant; those of the odds of a coin."""
        return self._logits

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._probs


class Concentrated:
    """What distributions have in common that gather about some of the classes."""

    _concentration: Tensor

    @property
    def concentration(self) -> Tensor:
        """How much mass each class has."""
        return self._concentration

    @property
    def total_concentration(self) -> Tensor:
        """The sum for all classes."""
        total: Tensor = api.reduce_sum(self._concentration, -1)
        return total


class OverClasses(Distribution):
    """What distributions over vectors with an element for each class have in common."""

    def _classes(self) -> Tensor:
        """The parameter whose last axis are the classes."""
        raise NotImplementedError

    def _batch_shape(self) -> TensorShape:
        shape: TensorShape = self._classes().shape[:-1]
        return shape

    def _batch_shape_tensor(self) -> Any:
        return api.shape(self._classes())[:-1]

    def _event_shape(self) -> TensorShape:
        shape: TensorShape = self._classes().shape[-1:]
        return shape

    def _event_shape_tensor(self) -> Any:
        return api.shape(self._classes())[-1:]
