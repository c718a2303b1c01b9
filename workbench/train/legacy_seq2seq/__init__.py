"""Sequence to sequence models over lists of steps, as TensorFlow's first tutorials used them."""
