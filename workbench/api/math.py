"""`tf.math`: what TensorFlow 1.5 and later call the mathematics of `tf` and `tf.nn`, too."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench": """
        abs accumulate_n acos acosh add add_n angle argmax argmin asin asinh atan atan2 atanh
        betainc bincount ceil confusion_matrix conj cos cosh count_nonzero cumprod cumsum digamma
        divide equal erf erfc exp expm1 floor floordiv floormod greater greater_equal igamma igammac
        imag invert_permutation is_finite is_inf is_nan is_non_decreasing is_strictly_increasing
        lbeta less less_equal lgamma log log1p log_sigmoid logical_and logical_not logical_or
        logical_xor maximum minimum mod multiply negative not_equal polygamma pow real reciprocal
        reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod
        reduce_sum rint round rsqrt scalar_mul segment_max segment_mean segment_min segment_prod
        segment_sum sign sin sinh sqrt square squared_difference subtract tan truediv
        unsorted_segment_max unsorted_segment_mean unsorted_segment_min unsorted_segment_prod
        unsorted_segment_sqrt_n unsorted_segment_sum zeta
        """,
    "workbench.api.nn": """
        in_top_k l2_normalize log_softmax sigmoid softmax softplus softsign tanh top_k zero_fraction
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
