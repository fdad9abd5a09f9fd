"""The assignments: student versions, a check of one's own work, and marks for a class.

``course`` knows the notebooks of the assignments, ``checking`` runs visible tests, ``submissions``
finds what was handed in, ``grading`` calls nbgrader, ``commands`` is ``dlbook assignment``. Only
``grading`` needs nbgrader (the extra ``classroom``).
"""
