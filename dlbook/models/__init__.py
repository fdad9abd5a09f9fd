"""The book's models: one module per chapter, Keras builders and layers."""

from dlbook.runtime import quiet_start_up

with quiet_start_up():  # Keras loads its backend here
    import keras  # noqa: F401
