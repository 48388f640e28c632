"""The site that `make docs` writes: it stands alone, its links lead somewhere, and its reference has every public name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from generated_paper import ROOT

from docs import build

pytestmark = pytest.mark.slow

PACKAGE = ROOT / "src" / "dying_relu"
MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    build.write_pages(out)
    build.write_reference(out)
    return out


def public_names(path: Path) -> Iterator[str]:
    """What a module lets others use: its `__all__`, or the functions and classes without an underscore."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    libraries = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            yield from set(ast.literal_eval(node.value)) - libraries
            return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def page(module: Path, site: Path) -> Path:
    parts = module.relative_to(PACKAGE.parent).with_suffix("").parts
    return site.joinpath(build.REFERENCE, *(part for part in parts if part != "__init__")).with_suffix(
        ".html"
    )


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    missing = []
    for module in MODULES:
        text = page(module, site).read_text(encoding="utf-8")
        inside = {path.stem for path in page(module, site).with_suffix("").glob("*.html")}
        shown = set(re.findall(r'id="([^"]+)"', text)) | inside
        missing += [
            f"{module.relative_to(PACKAGE)}: {name}" for name in public_names(module) if name not in shown
        ]
    assert missing == []


def test_every_module_is_reached_from_the_first_page(site: Path) -> None:
    waiting, reached = [site / "index.html"], set()
    while waiting:
        file = waiting.pop()
        if file in reached or not file.is_file() or file.suffix != ".html":
            continue
        reached.add(file)
        text = file.read_text(encoding="utf-8")
        links = [*build.links(text), *re.findall(r'content="0; url=([^"]+)"', text)]
        waiting += [
            (file.parent / link.partition("#")[0]).resolve() for link in links if not link.startswith("#")
        ]
    assert [module for module in MODULES if page(module, site) not in reached] == []
    assert {"docs/extend.html", "docs/probe.html", "config/README.html"} <= {
        file.relative_to(site).as_posix() for file in reached if file.is_relative_to(site)
    }


def test_every_page_of_the_reference_leads_back_to_the_first_page(site: Path) -> None:
    first = site / "index.html"
    without = []
    for module in MODULES:
        file = page(module, site)
        targets = {(file.parent / link).resolve() for link in build.links(file.read_text(encoding="utf-8"))}
        if first.resolve() not in targets:
            without.append(module.relative_to(PACKAGE))
    assert without == []


def test_links_lead_somewhere(site: Path) -> None:
    assert build.broken_links(site) == []


def test_a_broken_link_is_noticed(site: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<h1 id="a"></h1><a href="#a"></a><a href="#b"></a><a href="c.html"></a>'
    )
    assert build.broken_links(tmp_path) == ["page.html: #b", "page.html: c.html"]


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = [
        (file.name, address)
        for file in site.rglob("*.html")
        for address in re.findall(
            r'<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)="(https?:[^"]*)"',
            file.read_text(encoding="utf-8"),
        )
    ]
    assert loaded == []
