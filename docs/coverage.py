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

#: What is not there yet belongs to the first capability whose pattern matches "namespace.name".
CAPABILITIES = [
    (
        "other processors' kernels, and what runs inside TensorFlow alone",
        r"Mkl|\._|Fused.*Pad|Debug",
    ),
    ("datasets as operations of the graph", r"operations\.\w+Dataset$|(Save|Restore)Iterator"),
    ("summaries written by operations", r"SummaryWriter|Write\w*Summary"),
    ("quantised computation", r"[qQ]uanti|qint|FakeQuant|fake_quant"),
    ("RNNs", r"rnn|LSTM|GRU|lstm|gru"),
    ("CTC", r"ctc|CTC"),
    ("estimators, Keras and other libraries", r"contrib|estimator|keras|feature_column|profiler"),
    ("probability distributions", r"distributions|[sS]dca"),
    ("serving and saved models", r"saved_model"),
    (
        "queues, readers and accumulators",
        r"[qQ]ueue|Reader|[aA]ccumulator|Barrier|batch_join|shuffle_batch|maybe_|limit_epochs"
        r"|train\.batch|Stage|RecordInput|input_producer|match_filenames_once"
        r"|Unstage|operations\.(Ordered)?Map",
    ),
    (
        "control flow",
        r"cond\b|while_loop|\.case$|map_fn|\.scan$|fold[lr]|TensorArray|Switch|Merge|Enter|Exit"
        r"|NextIteration|LoopCond|ControlTrigger|Abort|Stack|RefSelect|SymbolicGradient",
    ),
    (
        "sessions with hooks, and the distributed runtime",
        r"Hook|Monitored|Scaffold|SessionManager|SessionCreator|SessionRun|Supervisor|Coordinator"
        r"|LooperThread|Server$|Cluster|cluster|SyncReplicas|replica_device|Listener"
        r"|SecondOrStepTimer|NanLoss|basic_train_loop|RemoteCall|RemoteFused",
    ),
    ("persistent tensors", r"[sS]ession_?[tT]ensor|[sS]ession_?[hH]andle"),
    ("graph tools", r"graph_util|do_quantize|load_op_library|file_system_library|pywrap"),
    (
        "parsing, files and strings",
        r"parse_|Parse|decode|Decode|encode|Encode|serialize|Serialize|read_file|write_file"
        r"|ReadFile|WriteFile|[mM]atching|FixedLen|VarLen|SparseFeature|string|String|Regex|substr"
        r"|Substr|reduce_join|ReduceJoin|as_string|AsString|Sharded|Json|json",
    ),
    ("tables", r"[tT]able|[lL]ookup|Vocab"),
    ("sets", r"sets|[sS]et(Size|_)|SetOperation"),
    ("audio", r"[aA]udio|Wav|Mfcc"),
    ("the forms of batches that TensorFlow itself has given up", r"operations\.Batch|\.Temporary"),
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


def capability(qualified: str) -> str:
    """The part of the work that a missing name belongs to."""
    for title, pattern in CAPABILITIES:
        if re.search(pattern, qualified):
            return title
    return "the parts that are there already"


def _section(title: str, coverage: Coverage, prefix: str) -> list[str]:
    total = len(coverage.there) + len(coverage.missing)
    lines = [f"### {title}: {len(coverage.there)} of {total}", ""]
    groups: dict[str, list[str]] = {}
    for name in coverage.missing:
        groups.setdefault(capability(f"{prefix}.{name}"), []).append(name)
    for group, names in sorted(groups.items()):
        lines += [f"- *{group}*: {', '.join(names)}"]
    return [*lines, ""] if groups else lines


def page() -> str:
    """The page, in Markdown."""
    lines = [
        "# What is there of TensorFlow 1.4",
        "",
        "Made by `make coverage-page`; what is not there yet stands below its number, by the part "
        "of the work it belongs to.",
        "",
        "## Public names",
        "",
    ]
    for namespace, coverage in names_coverage().items():
        lines += _section(f"`{namespace}`", coverage, namespace)
    lines += ["## Operations, by TensorFlow's source file", ""]
    for file, coverage in operations_coverage().items():
        lines += _section(f"`{file}`", coverage, "operations")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Writes the page beside this program."""
    target = HERE / "coverage.md"
    target.write_text(page())
    print(f"{target}: written")


if __name__ == "__main__":
    main()
