"""What tests must know of chapter 10, and wrong answers to its assignment."""

# the section at full size, in small
TINY = """
FULL_SIZE.update(window=24, patch=1, num_units=2)
FULL_EPOCHS = 1
"""

MISTAKES = {}
