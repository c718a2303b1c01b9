"""From a plan to kernels: which of its steps run together, where their results lie, when they run.

A plan's steps are cut into regions that are compiled and regions that are interpreted (`regions`).
In a region steps gather to groups (`groups`), each group becomes the description of a kernel
(`kernels`, `windows`, `rows`), values get places in memory (`placement`, `arena`), and all of it
becomes the records of a table (`building`) that the driver of `workbench.core.codegen` runs.
"""
