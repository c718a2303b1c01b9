"""`workbench lab`: JupyterLab, opened on the examples."""
