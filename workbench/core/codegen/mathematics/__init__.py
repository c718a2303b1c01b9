"""The elementary functions as vector code, one family a module.

A module has functions from registers to registers; `workbench.core.codegen.functions` has the table
that names them and the dtypes they take, `accuracy` the errors that they keep to.
"""
