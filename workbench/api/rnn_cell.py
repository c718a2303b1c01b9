"""`tf.nn.rnn_cell`: cells of recurrent networks."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.recurrent.cell": "RNNCell",
    "workbench.train.recurrent.simple": "BasicRNNCell GRUCell",
    "workbench.train.recurrent.lstm": "BasicLSTMCell LSTMCell LSTMStateTuple",
    "workbench.train.recurrent.stack": "MultiRNNCell",
    "workbench.train.recurrent.dropout": "DropoutWrapper",
    "workbench.train.recurrent.wrappers": "DeviceWrapper ResidualWrapper",
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
