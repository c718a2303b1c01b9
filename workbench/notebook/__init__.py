"""The notebook: the kernel's side of the panels and cell views, magics, widgets and charts."""
