"""The workshop around the book: the ``dlbook`` command and what it needs. No chapter imports it."""

FAILED, DATA_MISSING, INTERRUPTED = 1, 3, 130  # exit codes; click ends wrong usage with 2
