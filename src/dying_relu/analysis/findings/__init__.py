"""The findings of the second study, F1a to F7a, each settled by a verdict that is a function of the tables.

Each group of findings is a module, ``f1_mean`` to ``f7_phase_diagram``: small functions with their rules in words, as ``paper/plan.md`` has
them, whose thresholds are in :mod:`dying_relu.analysis.thresholds`. They are settled as claims are (:mod:`dying_relu.analysis.claims`),
and stand below them in ``claims.csv``. To add a finding, add a function that is decorated with
:data:`~dying_relu.analysis.claims.verdict.finding`.
"""
