"""What to use instead of names that programs may know and that are not there."""

from __future__ import annotations

_LIBRARY = (
    "{} is a library on top of TensorFlow's programming interface and no part of Workbench; {}"
)
_EAGER = "graphs are built first and run in sessions here: use {}"
_BEFORE = "TensorFlow itself has called it {} since version 1.0"

#: Namespace (the module behind it) -> name -> what to know.
_REASONS: dict[str, dict[str, str]] = {
    "workbench": {
        "keras": _LIBRARY.format("Keras", "tf.layers, tf.losses and tf.train are there"),
        "estimator": _LIBRARY.format(
            "Estimator", "tf.train.MonitoredTrainingSession and tf.data train without it"
        ),
        "feature_column": _LIBRARY.format(
            "tf.feature_column",
            "tf.one_hot, tf.nn.embedding_lookup and tf.contrib.lookup are there",
        ),
        "enable_eager_execution": _EAGER.format("tf.Session or tf.InteractiveSession"),
        "GradientTape": _EAGER.format("tf.gradients"),
        "function": _EAGER.format("Python functions that build operations"),
        "mul": _BEFORE.format("tf.multiply"),
        "sub": _BEFORE.format("tf.subtract"),
        "neg": _BEFORE.format("tf.negative"),
        "inv": _BEFORE.format("tf.reciprocal"),
        "pack": _BEFORE.format("tf.stack"),
        "unpack": _BEFORE.format("tf.unstack"),
        "concat_v2": _BEFORE.format("tf.concat"),
        "select": _BEFORE.format("tf.where"),
        "listdiff": _BEFORE.format("tf.setdiff1d"),
        "complex_abs": _BEFORE.format("tf.abs"),
        "batch_matmul": _BEFORE.format("tf.matmul"),
        "batch_matrix_inverse": _BEFORE.format("tf.matrix_inverse"),
        "batch_matrix_transpose": _BEFORE.format("tf.matrix_transpose"),
        "batch_cholesky": _BEFORE.format("tf.cholesky"),
    },
    "workbench.api.contrib": {
        "keras": _LIBRARY.format("Keras", "tf.layers, tf.losses and tf.train are there"),
        "eager": _EAGER.format("tf.Session or tf.InteractiveSession"),
    },
    "workbench.api.contrib_learn": {
        name: _LIBRARY.format(
            "tf.contrib.learn", "tf.train.MonitoredTrainingSession and tf.data train without it"
        )
        for name in """
            BaseEstimator DNNClassifier DNNLinearCombinedClassifier DNNLinearCombinedRegressor
            DNNRegressor Estimator Experiment KMeansClustering LinearClassifier LinearRegressor
            MetricSpec ModeKeys RunConfig SKCompat SVM datasets estimators
            infer_real_valued_columns_from_input learn_runner models monitors run_config utils
            """.split()
    },
    "workbench.api.image": {
        "per_image_whitening": _BEFORE.format("tf.image.per_image_standardization"),
    },
    "workbench.api.nn": {
        "rnn": _BEFORE.format("tf.nn.static_rnn"),
        "bidirectional_rnn": _BEFORE.format("tf.nn.static_bidirectional_rnn"),
        "state_saving_rnn": _BEFORE.format("tf.nn.static_state_saving_rnn"),
        "seq2seq": _BEFORE.format("tf.contrib.legacy_seq2seq"),
        "deconv2d": _BEFORE.format("tf.nn.conv2d_transpose"),
    },
}


def why_absent(module_name: str, name: str) -> str | None:
    """What to tell who asks a namespace for this name, where there is more than the nearest.

    >>> why_absent("workbench", "mul")
    'TensorFlow itself has called it tf.multiply since version 1.0'
    """
    return _REASONS.get(module_name, {}).get(name)
