"""Losses (`tf.losses`)."""
