"""Training: optimizers, checkpoints, summaries: `tf.train` and its friends."""
