"""The workshop around the book: the ``dlbook`` command and what it needs. No chapter imports it."""
