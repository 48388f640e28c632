"""The README and the pages in ``docs`` are right: their examples run, their commands exist, and their links lead somewhere."""

import re
import sys
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch
import typer
from generated_paper import ROOT
from prose import MARKDOWN, anchors, examples, links

from dying_relu import cli, probe

README = ROOT / "README.md"
DOCS = ROOT / "docs"
EXTEND = DOCS / "extend.md"
PAGES = [README, *sorted(DOCS.glob("*.md"))]
MOST_LINES = 110


def example(page: Path, language: str, containing: str) -> str:
    return next(block for block in examples(page, language) if containing in block)


def run(code: str, names: dict[str, Any]) -> dict[str, Any]:
    exec(code, names)  # noqa: S102 (our own pages)
    return names


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert "`make paper`" in text
    assert "`make test`" in text


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_linked_from_the_readme_or_a_page() -> None:
    linked = {(page.parent / link.partition("#")[0]).resolve() for page in PAGES for link in links(page)}
    assert [page.name for page in PAGES[1:] if page not in linked] == []


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    commands = set(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]
    used = re.findall(r"(?:^|`)make ([a-z-]+)", text, flags=re.MULTILINE)
    assert [target for target in used if target not in targets] == []
    used = re.findall(r"(?:^|`)dying-relu ([a-z-]+)", text, flags=re.MULTILINE)
    assert [command for command in used if command not in commands] == []


def test_the_first_example_of_the_probe() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    names = run(example(README, "python", "probe(model"), {"model": model, "loader": [torch.rand(16, 4)]})
    assert names["report"].layers.keys() == {"1"}


@pytest.mark.usefixtures("in_a_folder")
def test_the_examples_of_the_probe_run_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in examples(DOCS / "probe.md", "python"):
        with pytest.MonkeyPatch.context() as patch:
            if "import wandb" in block:
                # A stand-in, which notes what it is told to log: nothing here needs the library.
                patch.setitem(sys.modules, "wandb", MagicMock())
            run(block, names)
        printed = capsys.readouterr().out.split()
        # Lines of comments alone show what is printed.
        for shown in re.findall(r"^#\s+(.*)", block, flags=re.MULTILINE):
            line = shown.split()
            assert line in [printed[start : start + len(line)] for start in range(len(printed))]
    assert names["small"][0].out_features == 54
    assert probe(names["model"], names["loader"]).dead_fraction == 0
    run_of_wandb = names["run"]
    assert [call.kwargs["step"] for call in run_of_wandb.log.call_args_list] == [0, 4]
    assert all("dead_fraction" in call.args[0] for call in run_of_wandb.log.call_args_list)


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_training_is_watched_and_its_dead_units_revived_or_removed() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    with torch.no_grad():
        model[0].bias.copy_(torch.tensor([-99.0, -99.0] + [9.0] * 6))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def train(network: torch.nn.Module) -> None:
        network(torch.rand(4, 4)).sum().backward()
        optimizer.step()

    names = {"model": model, "optimizer": optimizer, "loader": [torch.rand(16, 4)], "train": train}
    watched = example(DOCS / "probe.md", "python", "with Monitor").partition("with Monitor")
    run("from dying_relu import Monitor\n" + "".join(watched[1:]), names)
    run(example(DOCS / "probe.md", "python", "prune_dead(").partition("small[0]")[0], names)
    run(example(DOCS / "probe.md", "python", "revive("), names)
    assert names["monitor"].history["dead"].tolist() == [2, 2]  # type: ignore[attr-defined]
    assert probe(model, names["loader"]).dead_fraction == 0
    assert names["small"][0].out_features == 6  # type: ignore[index]


@pytest.mark.parametrize("page", ["results.md", "tables.md"])
def test_the_table_can_be_read_as_shown(page: str, small_study: Path) -> None:
    code = example(DOCS / page, "python", "read_parquet").replace("results/default", str(small_study))
    assert not run(code, {})["trained"].empty


def test_no_page_has_examples_that_are_not_run() -> None:
    with_examples = [page.name for page in PAGES if list(examples(page, "python"))]
    assert with_examples == ["README.md", "extend.md", "probe.md", "results.md", "tables.md"]
