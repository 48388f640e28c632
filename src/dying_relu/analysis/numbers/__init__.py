"""Every number, and every word that depends on data, in the paper's text: computed here, printed by a macro.

``verdicts``    what became of each claim
``scale``       how large the study is
``sensitivity`` what other thresholds would make of the verdicts
``data``        what raw pixels and other minibatches change
``validation``  what theory and published numbers say of our networks
``laws``        what a law of the literature about training says of them
``provenance``  where it was made: commit, versions, machine, time
``macros``      to ``numbers.json`` and ``numbers.tex``
"""

from dying_relu.analysis.numbers.macro import Macro
from dying_relu.analysis.numbers.macros import collect, write

__all__ = ["Macro", "collect", "write"]
