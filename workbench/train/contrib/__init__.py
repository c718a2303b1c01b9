"""The parts of `tf.contrib` that public code needs: layers, scopes of arguments, slim."""
