"""The services around a script: flags, logging, files, entry point (``tf.app``, ``tf.gfile``)."""
