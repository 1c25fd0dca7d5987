"""Settings of the nbgrader course; `culture_d.exercises` reads this same file."""

from pathlib import Path

# `get_config` is given by the loader; importing it would read another configuration.
c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "culture-d"
# The folder of this file, whatever the settings of this account say of another course.
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".*"]

# The answer cell keeps its « reponse_1 = ... » above the solution: nothing else is needed.
c.ClearSolutions.code_stub = {"python": ""}
c.ClearSolutions.text_stub = "*Double-cliquez ici, puis écrivez votre réponse.*"

# A deleted test cell is put back and marked, instead of scoring « none ».
c.OverwriteCells.add_missing_cells = True
c.OverwriteCells.missing_cell_notification = "Cellule {cell_id} absente du devoir, remise ici.\n\n"

# One of each cell of the exercise, in its place, whatever was copied or deleted.
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "culture_d.exercises.restore_cells",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# What formgrader shows holds nothing that a browser could run: scores are read before.
c.Autograde.autograde_preprocessors = [
    "nbgrader.preprocessors.Execute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
    "culture_d.grading.inert.make_inert",
]

# What learners read after grading: without the hidden tests, which hold answers.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "culture_d.exercises.without_hidden_tests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

c.Execute.timeout = 60
# Nothing is left to save in the kernel: a graceful stop costs 0.4 s a submission.
c.Execute.shutdown_kernel = "immediate"
c.Execute.extra_arguments = ["--log-level=ERROR"]
