"""`tf.contrib.training`: training steps and loops, and hyperparameters by name."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.contrib.bucketing": "bucket bucket_by_sequence_length",
    "workbench.train.contrib.gradients": """
        add_gradients_summaries clip_gradient_norms clip_gradient_norms_fn multiply_gradients
        """,
    "workbench.train.contrib.train_op": "create_train_op",
    "workbench.train.contrib.learning": "train=train_monitored",
    "workbench.train.contrib.evaluation": """
        StopAfterNEvalsHook SummaryAtEndHook checkpoints_iterator
        evaluate_once=evaluate_checkpoint evaluate_repeatedly get_or_create_eval_step
        wait_for_new_checkpoint
        """,
    "workbench.train.contrib.hparams": "HParams parse_values",
    "workbench.train.contrib.rejection": "rejection_sample",
    "workbench.train.contrib.resampling": "resample_at_rate weighted_resample",
    "workbench.train.contrib.server_strategies": """
        GreedyLoadBalancingStrategy RandomStrategy byte_size_load_fn
        """,
    "workbench.train.contrib.stratified": "stratified_sample",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
