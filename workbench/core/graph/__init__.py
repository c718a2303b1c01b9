"""What a user builds: graphs, operations, tensors, shapes, dtypes, devices."""
