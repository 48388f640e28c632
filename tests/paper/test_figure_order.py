"""The figures' order in the report: the paper's."""

from pathlib import Path

from generated_paper import ROOT

from dying_relu.analysis import figures
from dying_relu.paper import figure_order


def test_figures_are_in_the_paper_s_order() -> None:
    labels = figure_order.labels(ROOT / "paper" / "main.tex", figures.NAMES)
    assert set(labels) == set(figures.NAMES)
    ordered = sorted(labels, key=labels.__getitem__)
    # That of the first finding is the first, and what practitioners can do comes last.
    assert (ordered[0], ordered[-1]) == ("mean_of_inputs", "remedies")
    assert labels["phase_diagram"] == "6 phase diagram"


def test_a_figure_that_is_commented_out_or_not_shown_comes_last(tmp_path: Path) -> None:
    (tmp_path / "sections").mkdir()
    (tmp_path / "main.tex").write_text("\\input{sections/one}\n\\studyfigure{a}\n", encoding="utf-8")
    (tmp_path / "sections" / "one.tex").write_text(
        "% \\studyfigure{c}\n90\\% of \\studyfigure{b}\n", encoding="utf-8"
    )
    assert figure_order.labels(tmp_path / "main.tex", ["a", "b", "c"]) == {"b": "1 b", "a": "2 a", "c": "3 c"}
