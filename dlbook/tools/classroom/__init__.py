"""The assignments: student versions, a check of one's own work, and marks for a class."""
