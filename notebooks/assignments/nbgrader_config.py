"""Settings of the nbgrader course. Run nbgrader's commands in the folder of this file.

    pip install -c constraints.txt -e ".[teach]"     # in the root of the repository
    cd notebooks/assignments
    nbgrader generate_assignment 01_mlp_from_scratch --create
    nbgrader autograde 01_mlp_from_scratch           # once submitted/ has the answers
    nbgrader generate_feedback 01_mlp_from_scratch

The release version, without solutions and hidden tests, is then in release/.
"""

c = get_config()  # noqa: F821  (nbgrader puts it there)

c.CourseDirectory.course_id = "dlbook"

# the first import of TensorFlow alone can take longer than nbgrader's 30 seconds
c.Execute.timeout = 300
c.Execute.kernel_name = "python3"
