"""Parts that several models share. Each lies in a module named after what it is."""
