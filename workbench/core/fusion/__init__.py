"""From a plan to kernels: which of its steps run together, where their results lie, in what order.

A plan's steps are cut into regions that are compiled and steps that are interpreted (`regions`). In a
region steps gather to groups (`groups`), each group becomes the description of a kernel (`kernels`),
results get places in memory (`storage`), and all of it a table that the driver of
`workbench.core.codegen` runs (`assembly`).
"""
