"""`tf.summary`: what a run shows in TensorBoard."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.summary": """
        audio get_summary_description histogram image merge merge_all scalar tensor_summary text
        """,
    "workbench.train.summary_io": "FileWriter FileWriterCache",
    "workbench.train.event_files": "summary_iterator",
    "workbench.core.protos": """
        Event SessionLog Summary SummaryDescription TaggedRunMetadata
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
