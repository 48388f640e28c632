r"""The paper's tables: ``tabular`` environments only; captions and labels stand in the paper's text.

A table is a module with a function ``table``, which takes the :class:`~dying_relu.analysis.study_results.StudyResults` and returns LaTeX;
the file has the module's name. To add one, add a module and \input its file; it may as well be an extension
(:mod:`dying_relu.extensions`).
"""

from dying_relu.analysis.tables.writing import names, write

__all__ = ["names", "write"]
