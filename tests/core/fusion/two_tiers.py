"""Runs a graph on both tiers, and compares results, errors and the variables afterwards."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

import workbench as tf
from workbench.core.runtime import tiers

#: Relative to the largest number of an array: sums and products in another order, functions that
#: are off by a few units in the last place.
TOLERANCES = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "float64": 1e-12}


class Rule(NamedTuple):
    """How much alike results must be."""

    exact: bool
    tolerance: float | None
    relative: Mapping[str, float]


class Outcome:
    """What a run gave: results or an error, and the variables' values after it."""

    def __init__(self, results: Any, error: Exception | None, variables: dict[str, Any]) -> None:
        self.results = results
        self.error = error
        self.variables = variables


class Pair:
    """A session of each tier on one graph, whose variables have the same values."""

    def __init__(self, graph: Any, **options: Any) -> None:
        self.graph = graph
        self.sessions = {
            tier: tf.Session(graph=graph, tier=tier, **options)
            for tier in ("interpreted", "compiled")
        }

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *error: Any) -> None:
        for session in self.sessions.values():
            session.close()

    def initialise(self) -> None:
        """Gives the variables of both sessions the values that the interpreter computes."""
        interpreted, compiled = self.sessions.values()
        with self.graph.as_default():
            interpreted.run(tf.global_variables_initializer())
        initializers = list(self.graph.variable_initializers.values())
        interpreted.run(initializers)
        for name, state in interpreted.state.variables.items():
            if state.value is not None:
                copy = compiled.state.variable(name, state.dtype, state.entries)
                copy.value = state.value.copy()
        compiled.state.entropy = interpreted.state.entropy
        compiled.state.random_steps.update(interpreted.state.random_steps)

    def run(self, fetches: Any, feeds: Mapping[Any, Any] | None = None) -> dict[str, Outcome]:
        """What each session does."""
        outcomes = {}
        for tier, session in self.sessions.items():
            results, error = None, None
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                # A program that cannot be compiled is told of once in a process.
                tiers._warned = False
                try:
                    results = session.run(fetches, dict(feeds or {}))
                except Exception as failure:
                    error = failure
            outcomes[tier] = Outcome(results, error, variables_of(session))
        return outcomes

    def check(
        self,
        fetches: Any,
        feeds: Mapping[Any, Any] | None = None,
        *,
        exact: bool = False,
        tolerance: float | None = None,
        relative: Mapping[str, float] | None = None,
        times: int = 2,
    ) -> Outcome:
        """Fails unless both give the same; what the interpreter gave in the last of the runs.

        More than one run, because what a run leaves in memory must not matter to the next.
        """
        copies = {k: np.array(v, copy=True) for k, v in (feeds or {}).items()}
        for _ in range(times):
            outcomes = self.run(fetches, feeds)
            compare(outcomes["compiled"], outcomes["interpreted"], exact, tolerance, relative)
        for key, copy in copies.items():
            left = np.asarray((feeds or {})[key])
            assert left.tobytes() == copy.tobytes(), f"the fed value of {key} was changed"
        return outcomes["interpreted"]

    @property
    def reasons(self) -> list[str]:
        """Why nothing of a program was compiled, for the newest program."""
        known = self.sessions["compiled"]._programs.tiers
        return [c.reason for c in known.compilations.values() if c.compiled is None]


def variables_of(session: Any) -> dict[str, Any]:
    """Copies of the values of a session's variables."""
    return {
        name: None if state.value is None else np.array(state.value, copy=True)
        for name, state in session.state.variables.items()
    }


def compare(
    compiled: Outcome,
    interpreted: Outcome,
    exact: bool = False,
    tolerance: float | None = None,
    relative: Mapping[str, float] | None = None,
) -> None:
    """Fails unless two outcomes are the same.

    `tolerance` takes the place of those in TOLERANCES; `relative` has, by dtype, tolerances that
    hold for every number by itself.
    """
    rule = Rule(exact, tolerance, dict(relative or {}))
    if interpreted.error is not None or compiled.error is not None:
        assert compiled.error is not None, f"only the interpreter failed: {interpreted.error!r}"
        if interpreted.error is None:
            raise AssertionError("only the compiled program failed") from compiled.error
        assert type(compiled.error) is type(interpreted.error), (
            f"{compiled.error!r} for {interpreted.error!r}"
        )
        assert str(compiled.error) == str(interpreted.error), (
            f"{compiled.error}\n-- for\n{interpreted.error}"
        )
    else:
        compare_values(compiled.results, interpreted.results, rule, "results")
    assert compiled.variables.keys() == interpreted.variables.keys()
    for name, value in interpreted.variables.items():
        found = compiled.variables[name]
        assert (found is None) == (value is None), f"only one tier gave {name} a value"
        if value is not None:
            compare_values(found, value, rule, f"variable {name}")


def compare_values(found: Any, wanted: Any, rule: Rule, where: str) -> None:
    """Fails unless two results, nested like fetches, are the same."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key in wanted:
            compare_values(found[key], wanted[key], rule, f"{where}[{key!r}]")
        return
    if isinstance(wanted, (list, tuple)):
        assert len(found) == len(wanted), where
        for i, (f, w) in enumerate(zip(found, wanted, strict=True)):
            compare_values(f, w, rule, f"{where}[{i}]")
        return
    assert type(found) is type(wanted), f"{where}: {type(found)} for {type(wanted)}"
    if not isinstance(wanted, (np.ndarray, np.generic)):
        assert found == wanted, where
        return
    assert found.dtype == wanted.dtype, where
    assert found.shape == wanted.shape, where
    name = wanted.dtype.name
    if rule.exact or name not in TOLERANCES:
        if name in TOLERANCES:
            # NumPy does not know that NaN of bfloat16 are alike.
            found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
        np.testing.assert_array_equal(found, wanted, where)
        if name in TOLERANCES:
            zeros = wanted == 0
            np.testing.assert_array_equal(
                np.signbit(found[zeros]), np.signbit(wanted[zeros]), f"{where}: sign of zero"
            )
        return
    tolerance = TOLERANCES[name] if rule.tolerance is None else rule.tolerance
    if name in rule.relative:
        close(found, wanted, rule.relative[name], where, float(np.finfo(wanted.dtype).tiny))
    else:
        close(found, wanted, tolerance, where)


def close(
    found: Any, wanted: Any, tolerance: float, where: str, absolute: float | None = None
) -> None:
    """NaN and infinities in the same places, finite numbers within a tolerance.

    It is relative to the number itself, and to a hundredth of the largest because sums cancel;
    or a number may be off by `absolute` in place of the latter.
    """
    found = np.asarray(found).astype(np.float64)
    wanted = np.asarray(wanted).astype(np.float64)
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(found[~finite], wanted[~finite], where)
    np.testing.assert_array_equal(np.isfinite(found), finite, where)
    if absolute is None:
        absolute = tolerance * 0.01 * np.abs(wanted[finite]).max(initial=0.0) + 1e-300
    np.testing.assert_allclose(found[finite], wanted[finite], tolerance, absolute, err_msg=where)
