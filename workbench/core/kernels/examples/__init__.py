"""Examples (`tf.train.Example`): read from their bytes, without protobuf."""
