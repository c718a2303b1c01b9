"""Lists of tensors as variant tensors: pure functions on immutable values, with gradients."""
