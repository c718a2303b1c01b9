"""Writes docs/coverage.md: which public names and operations of TensorFlow 1.4 are here.

Run it with `make coverage-page`. `tf1_names.json` and `tf1_operations.json` hold the names alone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import workbench
from workbench.core.ops import registry

HERE = Path(__file__).parent


class Reason(NamedTuple):
    """Why names stay out: those whose "namespace.name" the pattern finds."""

    title: str
    why: str
    pattern: str


#: A name that is missing has the first reason that matches, or it is yet to be made.
REASONS = [
    Reason(
        "kernels of one maker's library",
        "TensorFlow itself puts them into graphs, where it was built with MKL; programs never do.",
        r"^operations\._Mkl",
    ),
    Reason(
        "what TensorFlow's runtime makes for itself",
        "Operations between devices and inside of functions that no program makes; plans have "
        "steps of their own for this.",
        r"^operations\._",
    ),
    Reason(
        "datasets as operations of the graph",
        "Datasets are Python objects behind the operations of iterators, so that their functions "
        "may be any Python; all of `tf.data` is there.",
        r"^operations\.(\w+Dataset|SaveIterator|RestoreIterator)$",
    ),
    Reason(
        "libraries on top",
        "Estimators, Keras, feature columns and the profiler are programs that use the programming "
        "interface, and no part of it.",
        r"^tf\.(estimator|keras|feature_column|profiler)$",
    ),
    Reason(
        "one solver for linear models",
        "Only `tf.contrib.linear_optimizer` uses it, which is not there.",
        r"[sS]dca",
    ),
    Reason(
        "a pass over GraphDefs written in C++",
        "It puts `fake_quant` operations into a finished graph; these are there, and are put where "
        "they are wanted while a graph is built.",
        r"^tf\.train\.do_quantize_training_on_graphdef$",
    ),
    Reason(
        "functions that a graph calls on another device",
        "No program makes them: a step is parted into what each task does, and operations are "
        "pinned to tasks by `tf.device`.",
        r"RemoteCall|RemoteFused",
    ),
    Reason(
        "the kernels of one tutorial",
        "Given up by TensorFlow itself since version 19 of graphs; `tf.py_func` and `tf.data` do "
        "their work.",
        r"^operations\.(Skipgram|NegTrain)$",
    ),
    Reason(
        "a file format with a library of its own",
        "LMDB databases can be read by the `lmdb` package and fed, or read by "
        "`tf.data.Dataset.from_generator`.",
        r"LMDBReader",
    ),
    Reason(
        "gradients of functions by their names",
        "Gradients of functions are made while the graph is built, as operations of their own.",
        r"^operations\.SymbolicGradient$",
    ),
]


class Coverage(NamedTuple):
    """What is there of one namespace, and what is not."""

    there: list[str]
    missing: list[str]

    @property
    def share(self) -> float:
        """How much is there, from 0 to 1."""
        return len(self.there) / max(1, len(self.there) + len(self.missing))


def _has(namespace: str, name: str) -> bool:
    value: object = workbench
    try:
        for part in namespace.split(".")[1:]:
            value = getattr(value, part)
        getattr(value, name)
    except AttributeError:
        return False
    return True


def names_coverage() -> dict[str, Coverage]:
    """For each namespace of TensorFlow 1.4 the public names."""
    known = json.loads((HERE / "tf1_names.json").read_text())
    return {
        namespace: Coverage(
            [n for n in names if _has(namespace, n)],
            [n for n in names if not _has(namespace, n)],
        )
        for namespace, names in known.items()
    }


def operations_coverage() -> dict[str, Coverage]:
    """For each of TensorFlow 1.4's files of operations their types."""
    known = json.loads((HERE / "tf1_operations.json").read_text())
    return {
        file: Coverage(
            [t for t in types if registry.lookup(t) is not None],
            [t for t in types if registry.lookup(t) is None],
        )
        for file, types in known.items()
    }


def reason(qualified: str) -> Reason | None:
    """Why a missing name stays out; None for one that is yet to be made."""
    return next((r for r in REASONS if re.search(r.pattern, qualified)), None)


def unexplained(found: dict[str, Coverage], prefix: str = "") -> list[str]:
    """The missing names that have no reason, with their namespaces (or `prefix`)."""
    names = [
        f"{prefix or namespace}.{name}"
        for namespace, coverage in found.items()
        for name in coverage.missing
    ]
    return [name for name in names if reason(name) is None]


def totals(found: dict[str, Coverage], prefix: str = "") -> tuple[int, int, int]:
    """How many names are there, stay out for a reason, and are yet to be made."""
    there = sum(len(coverage.there) for coverage in found.values())
    missing = sum(len(coverage.missing) for coverage in found.values())
    left = len(unexplained(found, prefix))
    return there, missing - left, left


def _summary(title: str, found: dict[str, Coverage], prefix: str = "") -> str:
    there, out, left = totals(found, prefix)
    share = 100 * there / max(1, there + left)
    return (
        f"{title}: {there} of {there + out + left} are there; {out} stay out for the reasons "
        f"below, {left} are yet to be made. Of those without a reason to stay out, {share:.1f} % "
        "are there."
    )


def _section(title: str, coverage: Coverage, prefix: str) -> list[str]:
    total = len(coverage.there) + len(coverage.missing)
    lines = [f"### {title}: {len(coverage.there)} of {total}", ""]
    groups: dict[str, list[str]] = {}
    for name in coverage.missing:
        why = reason(f"{prefix}.{name}")
        groups.setdefault("yet to be made" if why is None else why.title, []).append(name)
    for group, names in sorted(groups.items()):
        lines += [f"- *{group}*: {', '.join(names)}"]
    return [*lines, ""] if groups else lines


def page() -> str:
    """The page, in Markdown."""
    names, operations = names_coverage(), operations_coverage()
    lines = [
        "# What is there of TensorFlow 1.4",
        "",
        "Made by `make coverage-page`. What is not there stands below its number, by the reason "
        "why it stays out.",
        "",
        _summary("Public names", names),
        "",
        _summary("Operations", operations, "operations"),
        "",
        "## Why names stay out",
        "",
        *[f"- *{r.title}*: {r.why}" for r in REASONS],
        "",
        "## Public names",
        "",
    ]
    for namespace, coverage in names.items():
        lines += _section(f"`{namespace}`", coverage, namespace)
    lines += ["## Operations, by TensorFlow's source file", ""]
    for file, coverage in operations.items():
        lines += _section(f"`{file}`", coverage, "operations")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Writes the page beside this program."""
    target = HERE / "coverage.md"
    target.write_text(page())
    print(f"{target}: written")


if __name__ == "__main__":
    main()
