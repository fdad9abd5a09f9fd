"""Settings of the nbgrader course. `dlbook assignment` reads them, and so does nbgrader itself.

    pip install -c constraints.txt -e ".[classroom]"     # in the root of the repository
    dlbook assignment release                            # student versions, in release/
    dlbook assignment grade FOLDER                       # marks.csv and feedback/

nbgrader's own commands work in the folder of this file: `nbgrader generate_assignment`,
`nbgrader autograde`, `nbgrader generate_feedback`, and `nbgrader formgrader` in JupyterLab, where
open questions are marked by hand.
"""

import importlib.util

from dlbook.tools.classroom.limits import KERNEL_OPTION

c = get_config()  # noqa: F821  (nbgrader puts it there)

c.CourseDirectory.course_id = "dlbook"

# --- time-out: the set-up cell imports TensorFlow, which alone can take longer than nbgrader's 30 s
SET_UP_SECONDS = 300
CELL_SECONDS = 60


def _seconds(cell):
    is_set_up = cell.metadata.get("nbgrader", {}).get("grade_id") == "setup"
    return SET_UP_SECONDS if is_set_up else CELL_SECONDS


c.Execute.timeout_func = _seconds
c.Execute.interrupt_on_timeout = True
# how long an interrupted cell may take to come to its end; then the kernel is stopped
c.Execute.iopub_timeout = 20
c.Execute.kernel_name = "python3"

# --- output: a cell that prints without end fails before it fills the grader's memory
c.Execute.extra_arguments = [KERNEL_OPTION]

# --- memory: what is allocated beyond this raises a MemoryError in the cell, and only there. The
# imports need 0.5 GB. Linux enforces it; elsewhere the module or the limit may not exist.
MEMORY_GB = 4
if importlib.util.find_spec("resource") is not None:
    size = MEMORY_GB * 2**30
    c.Execute.extra_arguments = [
        "--IPKernelApp.exec_lines=import resource as _resource; "
        f"_resource.setrlimit(_resource.RLIMIT_DATA, ({size}, {size})); del _resource",
        KERNEL_OPTION,
    ]

# --- missing answers: a stub raises, so that its test fails; a blank text is worth 0 without being
# read. A deleted test cell comes back.
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
c.ClearSolutions.text_stub = "YOUR ANSWER HERE"
c.OverwriteCells.add_missing_cells = True
