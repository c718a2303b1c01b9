"""The compiled tier: fused parts of a plan become vector machine code, run by a pool of threads.

What is fused is decided in `workbench.core.plan`; here the description of a kernel (`specs`)
becomes LLVM IR (`loops`, `products`, `convolutions`, ...), machine code (`compiler`) and a table of
calls that all threads work through (`driver`). Nothing here but `llvm`, which holds the end of the
process until LLVM is left alone, is imported before a plan is compiled.
"""
