"""Input pipelines: datasets and their iterators (`tf.data`)."""
