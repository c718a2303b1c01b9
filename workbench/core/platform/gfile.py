"""Files under the names of ``tf.gfile``."""

from __future__ import annotations

from workbench.core.platform.file_io import copy as Copy
from workbench.core.platform.file_io import create_dir as MkDir
from workbench.core.platform.file_io import delete_file as Remove
from workbench.core.platform.file_io import delete_recursively as DeleteRecursively
from workbench.core.platform.file_io import file_exists as Exists
from workbench.core.platform.file_io import get_matching_files as Glob
from workbench.core.platform.file_io import is_directory as IsDirectory
from workbench.core.platform.file_io import list_directory as ListDirectory
from workbench.core.platform.file_io import recursive_create_dir as MakeDirs
from workbench.core.platform.file_io import rename as Rename
from workbench.core.platform.file_io import stat as Stat
from workbench.core.platform.file_io import walk as Walk
from workbench.core.platform.file_object import FileIO as GFile

FastGFile = GFile
Open = GFile

__all__ = [
    "Copy",
    "DeleteRecursively",
    "Exists",
    "FastGFile",
    "GFile",
    "Glob",
    "IsDirectory",
    "ListDirectory",
    "MakeDirs",
    "MkDir",
    "Open",
    "Remove",
    "Rename",
    "Stat",
    "Walk",
]
