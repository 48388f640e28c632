"""A made-up figure, table, number, claim and remedy, each added by one entry outside of the project, are found everywhere."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
import small_study
from extended_study import SOURCE
from project_copy import Project
from small_study import CONFIGURATION, write_small_study

from dying_relu.analysis import claims, figures, latex, numbers, remedies, tables
from dying_relu.analysis.claims.verdict import CLAIMS
from dying_relu.analysis.entries import CLAIMS as CLAIM_MODULES
from dying_relu.analysis.entries import FIGURES, FINDINGS, NUMBERS, TABLES
from dying_relu.analysis.figures import style
from dying_relu.analysis.study_results import StudyResults
from dying_relu.configuration import IMAGE_SETS
from dying_relu.errors import DyingReluError
from dying_relu.extensions import VARIABLE
from dying_relu.files import checksums
from dying_relu.results import provenance, schemas
from dying_relu.results.simulation_schemas import SIMULATIONS
from dying_relu.stack.activations import ACTIVATIONS

EXTENSION = '''
"""A made-up figure, table, group of numbers and claim."""

from dying_relu.analysis.claims import HOLDS, Finding
from dying_relu.analysis.claims.verdict import claim
from dying_relu.analysis.figures import style
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.numbers.macro import macro

CAPTION = "A made-up caption."
TABLES = ("runs",)


@style.paper
def figure(runs):
    return style.note(f"{len(runs)} runs")


def table(study):
    return f"{len(study.table('runs'))} runs\\n"


def numbers(study):
    return {"MadeUpRuns": macro(len(study.table("runs")), "number")}


@claim(
    "C14", "It is made up", experiment="causes", measure="1", rule="always", details={"Runs": "number"}
)
def made_up(evidence):
    return Finding(HOLDS, Interval(1.0, 1.0, 1.0, 3), 1, details={"Runs": len(evidence.runs)})
'''
LABELS = """
from dying_relu.configuration import IMAGE_SETS, ImageSet
from dying_relu.stack.activations import ACTIVATIONS, Activation

ACTIVATIONS.add("made_up_label", Activation(None, None, label="Made-Up"))
ACTIVATIONS.add("made_up_bare", Activation(None, None))
IMAGE_SETS.add("stripes_made_up", ImageSet(channels=1, side=8, classes=2, train=1, test=1, label="Stripes"))
"""
REMEDY = {"optimiser": ("sgd_made_up",), "learning_rate": (0.01, 1.0)}


@pytest.fixture
def extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the extension's module ``made_up``, which is importable and named in the environment."""
    folder = tmp_path / "extensions"
    folder.mkdir()
    (folder / "made_up.py").write_text(EXTENSION, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv(VARIABLE, "made_up")
    yield folder
    CLAIMS.pop("C14", None)
    sys.modules.pop("made_up", None)


ONE_OF_EACH = {
    "figures": 'CAPTION = "A caption."\nTABLES = ("runs",)\n\n\ndef figure(runs): ...\n',
    "tables": "def table(study): ...\n",
    "numbers": "def numbers(study): ...\n",
    "claims": '@claim("C14")\ndef settled(evidence): ...\n',
    "findings": '@finding("F8a")\ndef settled(evidence): ...\n',
}
ROOMS = {
    "figures": FIGURES,
    "tables": TABLES,
    "numbers": NUMBERS,
    "claims": CLAIM_MODULES,
    "findings": FINDINGS,
}


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Write modules, by their names, to the current folder, and name them in the environment."""

    def written(texts: dict[str, str]) -> None:
        for name, text in texts.items():
            path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        monkeypatch.setenv(VARIABLE, ",".join(texts))

    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    return written


@pytest.fixture
def results(small_study: Path, tmp_path: Path) -> Path:
    folder = shutil.copytree(small_study, tmp_path / "results")
    provenance.record(folder, CONFIGURATION, folder / provenance.NAME)
    return folder


def test_a_figure_is_listed_captioned_and_drawn(extension: Path, results: Path, tmp_path: Path) -> None:
    assert figures.names() == (*figures.NAMES, "made_up")
    assert FIGURES.constant("made_up", "CAPTION") == "A made-up caption."
    figures.draw("made_up", results, tmp_path / "made_up.pdf")
    assert (tmp_path / "made_up.png").is_file()


def test_claim_table_and_number_are_in_what_is_written(
    extension: Path, results: Path, tmp_path: Path
) -> None:
    claims.write(claims.settle(results), results / "claims.csv")
    verdicts = claims.read(results / "claims.csv").set_index("claim")
    assert verdicts.loc["C14", ["statement", "verdict"]].tolist() == ["It is made up", claims.HOLDS]
    tables.write(results, CONFIGURATION, tmp_path / "tables")
    runs = verdicts.loc["C14", "details"]["Runs"]
    assert (tmp_path / "tables" / "made_up.tex").read_text() == f"{runs} runs\n"
    assert "\nC14 & It is made up &" in (tmp_path / "tables" / "verdicts.tex").read_text()
    numbers.write(results, CONFIGURATION, tmp_path / "numbers.json", tmp_path / "numbers.tex")
    values = json.loads((tmp_path / "numbers.json").read_text())
    assert values["MadeUpRuns"] == values["ClaimFourteenRuns"] == runs
    assert rf"\newcommand\MadeUpRuns{{\num{{{runs}}}}}" in (tmp_path / "numbers.tex").read_text()


def test_the_code_of_an_extension_is_part_of_the_digest(
    extension: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, ours = (FIGURES.digest("made_up"), TABLES.digest()), FIGURES.digest("fuse")
    with (extension / "made_up.py").open("a") as file:
        file.write("\nEDITED = 1\n")
    after = (FIGURES.digest("made_up"), TABLES.digest())
    assert all(one != other for one, other in zip(before, after, strict=True))
    monkeypatch.delenv(VARIABLE)
    assert FIGURES.digest("fuse") == ours
    assert TABLES.digest() not in before


def test_an_extension_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "not_there")
    with pytest.raises(DyingReluError, match="no extension not_there"):
        figures.names()


@pytest.mark.parametrize(
    "words",
    [
        ("figure", "made_up", "--results", "results", "--out", "out.pdf"),
        ("claims", "--results", "results", "--out", "out.csv"),
        ("tables", "--results", "results", "--config", str(CONFIGURATION), "--out", "out"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_finds_a_module_in_the_current_folder(
    words: tuple[str, ...], small_paper: Path, tmp_path: Path
) -> None:
    """The folder is on no path that Python is told."""
    with_verdict_on_c14(shutil.copytree(small_paper / "results", tmp_path / "results") / "claims.csv")
    (tmp_path / "made_up.py").write_text(EXTENSION, encoding="utf-8")
    environment = os.environ | {VARIABLE: "made_up", "PYTHONPATH": str(SOURCE), "PYTHONSAFEPATH": "1"}
    command(words, tmp_path, environment)
    written = {
        "figure": lambda: (tmp_path / "out.png").read_bytes()[1:4] == b"PNG",
        "claims": lambda: "\nC14,It is made up,holds," in (tmp_path / "out.csv").read_text(),
        "tables": lambda: " runs" in (tmp_path / "out" / "made_up.tex").read_text(),
    }
    assert written[words[0]]()


def with_verdict_on_c14(path: Path) -> None:
    """Give a file of verdicts one more, that on C13 under another name: to settle all takes seconds."""
    verdicts = pd.read_csv(path, dtype=str, keep_default_na=False)
    ours = verdicts["claim"].str.startswith("C")
    more = verdicts[verdicts["claim"] == "C13"].assign(claim="C14")
    pd.concat([verdicts[ours], more, verdicts[~ours]]).to_csv(path, index=False)
    checksums.write_beside(path)


def command(words: tuple[str, ...], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dying_relu.cli", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("room", "taken"),
    [
        ("figures", "remedies"),
        ("tables", "verdicts"),
        ("numbers", "scale"),
        ("claims", "c01_relu"),
    ],
)
def test_the_name_of_an_entry_of_the_project_is_refused(
    room: str, taken: str, modules: Callable[[dict[str, str]], None]
) -> None:
    modules({taken: ONE_OF_EACH[room]})
    for ask in (ROOMS[room].names, lambda: ROOMS[room].load(taken)):
        with pytest.raises(DyingReluError, match=f"two entries for the {room[:-1]} '{taken}'") as error:
            ask()
        assert f"the modules {ROOMS[room].package}.{taken} and {taken}; rename the file" in str(error.value)


@pytest.mark.parametrize("room", ROOMS)
def test_of_two_extensions_of_one_name_none_wins(
    room: str, modules: Callable[[dict[str, str]], None]
) -> None:
    modules({"left.made_up_twice": ONE_OF_EACH[room], "right.made_up_twice": ONE_OF_EACH[room]})
    with pytest.raises(DyingReluError, match=r"the modules left\.made_up_twice and right\.made_up_twice"):
        ROOMS[room].names()


def test_the_id_of_a_claim_of_the_project_is_refused(modules: Callable[[dict[str, str]], None]) -> None:
    rule = CLAIMS["C1"]
    modules({"made_up_claim": EXTENSION.replace('"C14"', '"C1"')})
    with pytest.raises(DyingReluError, match="made_up_claim") as error:
        claims.ordered()
    assert "there are two entries for the claim 'C1'" in str(error.value)
    assert CLAIMS["C1"] is rule


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("", "has no caption: expected a literal such as CAPTION ="),
        ("CAPTION = 'A' + 'B'", "has no caption: expected a literal such as CAPTION ="),
        (
            "CAPTION = 'A.'",
            "does not say which tables it takes: found no literal TABLES; expected some of runs,",
        ),
        ("CAPTION = 'A.'\nTABLES = ()", "does not say which tables it takes: found TABLES = ()"),
        ("CAPTION = 'A.'\nTABLES = 'runs'", "does not say which tables it takes: found TABLES = 'runs'"),
        (
            "CAPTION = 'A.'\nTABLES = ('runs', 'nets')",
            "found TABLES = ('runs', 'nets'); expected some of runs,",
        ),
    ],
)
def test_what_a_figure_lacks_is_said(
    head: str, message: str, modules: Callable[[dict[str, str]], None]
) -> None:
    modules({"made_up_figure": f"{head}\n\n\ndef figure(runs): ...\n"})
    for ask in (FIGURES.names, lambda: FIGURES.load("made_up_figure")):
        with pytest.raises(DyingReluError, match="figure in the module made_up_figure") as error:
            ask()
        assert message in str(error.value)
        assert "beside its function figure" in str(error.value)


def test_to_look_for_entries_imports_nothing(modules: Callable[[dict[str, str]], None]) -> None:
    modules({"made_up": EXTENSION})
    program = (
        "import sys; from dying_relu.analysis import entries; entries.FIGURES.names(); entries.CLAIMS.names(); "
        "sys.exit(bool({'torch', 'pandas', 'matplotlib', 'made_up'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(SOURCE)}, check=True)


@pytest.mark.parametrize("tables", [("runs",), ["units"], (*schemas.TABLES, *SIMULATIONS)])
def test_a_figure_takes_any_table(tables: Sequence[str], modules: Callable[[dict[str, str]], None]) -> None:
    modules({"made_up_figure": f"CAPTION: str = 'A.'\nTABLES = {tables}\n\n\ndef figure(**all): ...\n"})
    assert FIGURES.names()["made_up_figure"] == "made_up_figure"


def test_a_module_that_is_not_python_is_named(modules: Callable[[dict[str, str]], None]) -> None:
    modules({"made_up_wrong": "def figure(:\n"})
    with pytest.raises(DyingReluError, match=r"made_up_wrong\.py is not valid Python: found .* in line 1"):
        FIGURES.names()


def test_an_activation_and_a_data_set_say_their_printed_names(
    modules: Callable[[dict[str, str]], None],
) -> None:
    """Those of extensions come last; without a label the name that studies give them is printed."""
    modules({"made_up_labels": LABELS})
    try:
        assert latex.name("made_up_label") == "Made-Up"
        assert latex.name("made_up_bare") == "made up bare"
        assert latex.name("stripes_made_up") == "Stripes"
        assert latex.named("holds in stripes_made_up mlp") == "holds in Stripes MLP"
        levels = [*reversed(ACTIVATIONS)]
        runs = style.with_activation_names(pd.DataFrame({"activation": levels, "slope": 0.0}))
        last_of_ours = latex.activation_name(levels[2], 0.0)
        assert list(runs["function"].cat.categories[-3:]) == [last_of_ours, "Made-Up", "made up bare"]
    finally:
        sys.modules.pop("made_up_labels", None)
        for registry, names in (
            (ACTIVATIONS, ("made_up_label", "made_up_bare")),
            (IMAGE_SETS, ("stripes_made_up",)),
        ):
            for name in names:
                registry.pop(name, None)


def test_a_remedy_is_an_entry_of_the_configuration(tmp_path: Path) -> None:
    """An experiment whose name begins with ``remedies`` and an optimiser whose name says the remedy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(small_study.GRIDS, "remedies_made_up", small_study.GRIDS["remedies_training"] | REMEDY)
        write_small_study(tmp_path, experiments=("remedies", "remedies_made_up"))
    named = remedies.side_by_side(StudyResults(tmp_path).table("runs"))
    assert "made up" in set(named["remedy"])


@pytest.mark.slow
def test_the_workflow_has_rules_for_them(extension: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    shutil.copy(extension / "made_up.py", project.folder / "src" / "made_up.py")
    jobs = project.would_run()
    assert any(job.rule == "figure_made_up" for job in jobs)
    assert any(job.rule == "tables" for job in project.would_run("paper/generated/smoke/tables/made_up.tex"))
    caption = project.folder / ".snakemake" / "captions" / "made_up.rst"
    assert caption.read_text() == "A made-up caption.\n"
