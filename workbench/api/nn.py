"""`tf.nn`: neural network operations."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.ops.nn.convolution": """
        conv1d conv2d conv2d_backprop_input conv2d_backprop_filter conv2d_transpose
        """,
    "workbench.core.ops.nn.convolution3d": "conv3d conv3d_backprop_filter_v2 conv3d_transpose",
    "workbench.core.ops.exponential": "sigmoid",
    "workbench.core.ops.trigonometric": "tanh",
    "workbench.core.ops.nn.dilated": "convolution atrous_conv2d atrous_conv2d_transpose",
    "workbench.core.ops.nn.space_to_batch": "with_space_to_batch",
    "workbench.core.ops.nn.pooling": "max_pool avg_pool",
    "workbench.core.ops.nn.pooling3d": "max_pool3d avg_pool3d pool",
    "workbench.core.ops.nn.pooling_places": "max_pool_with_argmax",
    "workbench.core.ops.nn.fractional_pooling": "fractional_max_pool fractional_avg_pool",
    "workbench.core.ops.nn.depthwise": """
        depthwise_conv2d depthwise_conv2d_native depthwise_conv2d_native_backprop_filter
        depthwise_conv2d_native_backprop_input separable_conv2d
        """,
    "workbench.core.ops.nn.morphology": "dilation2d erosion2d",
    "workbench.core.ops.nn.bias": "bias_add bias_add_v1 xw_plus_b relu_layer",
    "workbench.core.ops.nn.regularization": "l2_loss dropout zero_fraction l2_normalize",
    "workbench.core.ops.nn.ranking": "top_k in_top_k",
    "workbench.core.ops.nn.activation": """
        relu relu6 elu selu softplus softsign leaky_relu crelu swish
        """,
    "workbench.core.ops.nn.softmax": "softmax log_softmax",
    "workbench.core.ops.nn.cross_entropy": """
        softmax_cross_entropy_with_logits softmax_cross_entropy_with_logits_v2
        sparse_softmax_cross_entropy_with_logits sigmoid_cross_entropy_with_logits
        weighted_cross_entropy_with_logits log_poisson_loss
        """,
    "workbench.core.ops.nn.moments": """
        moments weighted_moments sufficient_statistics normalize_moments batch_normalization
        batch_norm_with_global_normalization
        """,
    "workbench.core.ops.nn.normalization": "local_response_normalization lrn",
    "workbench.core.ops.nn.fused_batch_norm": "fused_batch_norm",
    "workbench.core.ops.nn.embedding": "embedding_lookup embedding_lookup_sparse",
    "workbench.core.ops.quantization.layers": """
        quantized_avg_pool quantized_conv2d quantized_max_pool quantized_relu_x
        """,
    "workbench.core.ops.nn.sampled_losses": "nce_loss sampled_softmax_loss",
    "workbench.core.ops.nn.sampling": """
        all_candidate_sampler compute_accidental_hits fixed_unigram_candidate_sampler
        learned_unigram_candidate_sampler log_uniform_candidate_sampler uniform_candidate_sampler
        """,
    "workbench.core.ops.nn.ctc": "ctc_loss ctc_greedy_decoder ctc_beam_search_decoder",
    "workbench.core.ops.nn.recurrent.static": """
        static_rnn static_state_saving_rnn static_bidirectional_rnn
        """,
    "workbench.core.ops.nn.recurrent.dynamic": "dynamic_rnn bidirectional_dynamic_rnn",
    "workbench.core.ops.nn.recurrent.raw": "raw_rnn",
}
_get, __dir__, __all__ = namespace(__name__, NAMES, {"rnn_cell": "workbench.api.rnn_cell"})


def __getattr__(name: str) -> Any:
    return _get(name)
