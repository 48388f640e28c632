"""The paper's tables: ``tabular`` environments only; captions and labels stand in the paper's text.

``verdict_tables``   the verdict on each claim, and the rules they follow
``validation_table``  our networks against theory and published numbers
``threshold_table``  the rate that kills half of the units
``death_table``      what killed: bias, weights or inputs
``remedy_table``     remedies side by side
``sensitivity_tables``  the verdicts by other definitions of death, and death by number of examples
``setting_tables``   every experiment's grid, and what they all share
"""

from dying_relu.analysis.tables.writing import TABLES, write

__all__ = ["TABLES", "write"]
