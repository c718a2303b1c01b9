"""The names of what a saved model is made of."""

from __future__ import annotations

#: The folder of the files that the graphs read, such as vocabularies.
ASSETS_DIRECTORY = "assets"
#: The collection that says which tensors hold their paths.
ASSETS_KEY = "saved_model_assets"
#: The collection of the operation to run after loading, as TensorFlow's first versions had it.
LEGACY_INIT_OP_KEY = "legacy_init_op"
#: The collection of the operation to run after loading.
MAIN_OP_KEY = "saved_model_main_op"
SAVED_MODEL_SCHEMA_VERSION = 1
SAVED_MODEL_FILENAME_PB = "saved_model.pb"
SAVED_MODEL_FILENAME_PBTXT = "saved_model.pbtxt"
#: The folder of the variables' values, and the name of the checkpoint in it.
VARIABLES_DIRECTORY = "variables"
VARIABLES_FILENAME = "variables"
