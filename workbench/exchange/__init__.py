"""What the workbench writes for other programs to read."""
