"""Metrics that are computed over many batches (`tf.metrics`)."""
