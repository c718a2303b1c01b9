"""`tf.contrib.layers`: layers as functions, initializers, regularizers, and training steps."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.train.regularizers": """
        l1_regularizer l2_regularizer l1_l2_regularizer sum_regularizer apply_regularization
        """,
    "workbench.train.contrib.initializers": """
        variance_scaling_initializer xavier_initializer xavier_initializer_conv2d
        """,
    "workbench.train.contrib.connected": "bias_add elu fully_connected linear relu relu6",
    "workbench.train.contrib.convolutions": """
        conv2d conv2d_transpose conv3d conv3d_transpose convolution convolution2d
        convolution2d_transpose convolution3d convolution3d_transpose
        """,
    "workbench.train.contrib.depthwise": """
        conv2d_in_plane convolution2d_in_plane separable_conv2d separable_convolution2d
        """,
    "workbench.train.contrib.pooling": "avg_pool2d avg_pool3d max_pool2d max_pool3d pool",
    "workbench.train.contrib.batch_norm": "batch_norm",
    "workbench.train.contrib.normalization": "instance_norm layer_norm unit_norm",
    "workbench.train.contrib.shaping": "dropout flatten maxout one_hot_encoding softmax",
    "workbench.train.contrib.attention": "scale_gradient spatial_softmax",
    "workbench.train.contrib.composition": "repeat stack",
    "workbench.train.contrib.embedding": """
        bow_encoder embed_sequence embedding_lookup_unique safe_embedding_lookup_sparse
        """,
    "workbench.train.contrib.summaries": """
        summarize_activation summarize_activations summarize_biases summarize_collection
        summarize_tensor summarize_tensors summarize_variables summarize_weights
        """,
    "workbench.train.contrib.optimize_loss": """
        OPTIMIZER_CLS_NAMES OPTIMIZER_SUMMARIES adaptive_clipping_fn optimize_loss
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES, {"utils": "workbench.train.contrib.support"})


def __getattr__(name: str) -> Any:
    return _get(name)
