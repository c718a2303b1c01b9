"""`tf.contrib.summary`: summaries that operations write while they run."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.contrib.summary_ops": """
        SummaryWriter all_summary_ops always_record_summaries audio create_file_writer
        create_summary_file_writer=create_file_writer flush generic histogram image
        never_record_summaries record_summaries_every_n_global_steps scalar
        should_record_summaries summary_writer_initializer_op
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
