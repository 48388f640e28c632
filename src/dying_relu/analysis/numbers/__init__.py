"""Every number, and every word that depends on data, in the paper's text: computed here, printed by a macro.

A group of numbers is a module with a function ``numbers``, which takes the :class:`~dying_relu.analysis.study_results.StudyResults` and
returns macros by name. To add a group, add a module; it may as well be an extension (:mod:`dying_relu.extensions`).
``macros`` writes all of them to ``numbers.json`` and ``numbers.tex``.
"""

from dying_relu.analysis.numbers.macro import Macro
from dying_relu.analysis.numbers.macros import collect, write

__all__ = ["Macro", "collect", "write"]
