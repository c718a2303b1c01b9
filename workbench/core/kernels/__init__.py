"""NumPy reference kernels, one pure function per operation."""
