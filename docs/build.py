"""The documentation as a site of its own: the project's Markdown pages, and the reference of its code. `make docs` writes it.

It needs no network, neither to be built nor to be read. Links to files that are no pages lead into the clone that the site is built in.
"""

import importlib
import os
import pkgutil
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

from dying_relu.analysis.explorer.page import HEAD

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "docs"
REFERENCE = "reference"
"""Folder of the reference inside the site."""
TEMPLATES = ROOT / "docs" / "templates"
"""Of the reference: what differs from pdoc's own."""
PACKAGE = "dying_relu"

STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 56rem; margin: 0 auto; padding: 0 1rem 3rem; }
body { overflow-wrap: anywhere; }
nav { border-bottom: 1px solid #ccc; padding: .7rem 0; font-size: .9rem; }
nav a { margin-right: .9rem; }
pre { background: #f4f4f4; padding: .7rem; overflow-x: auto; overflow-wrap: normal; }
code { font-size: .9em; }
img { max-width: 100%; }
table { border-collapse: collapse; font-size: .9rem; display: block; overflow-x: auto; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ddd; }
"""
"""Of the project's pages; the reference has its own."""


def pages(root: Path = ROOT) -> list[Path]:
    """The Markdown pages of the project: the README first, then those in folders that a reader needs.

    Args:
        root: folder of the project.
    """
    folders = ("docs", "config", "benchmarks", "tests")
    inside = [page for folder in folders for page in sorted((root / folder).glob("*.md"))]
    readme = root / "README.md"
    return [readme, *sorted({*root.glob("*.md")} - {readme}), *inside]


def place(page: Path, root: Path, out: Path) -> Path:
    """The file of the site that shows a page.

    Args:
        page: a Markdown file.
        root: folder of the project.
        out: folder of the site.
    """
    relative = page.relative_to(root)
    return out / ("index.html" if relative == Path("README.md") else relative.with_suffix(".html"))


def write_pages(out: Path, root: Path = ROOT) -> None:
    """Write every Markdown page as HTML.

    Args:
        out: folder of the site.
        root: folder of the project.
    """
    places = {page.resolve(): place(page, root, out) for page in pages(root)}
    for page, file in places.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_html(page, file, places, root, out), encoding="utf-8")


def _html(page: Path, file: Path, places: dict[Path, Path], root: Path, out: Path) -> str:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(page.read_text(encoding="utf-8"))
    slugs: Counter[str] = Counter()
    title = page.stem
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and after:
            heading = after.content
            title = heading if token.tag == "h1" else title
            token.attrSet("id", _slug(heading, slugs))
        for part in token.children or []:
            name = {"link_open": "href", "image": "src"}.get(part.type)
            if name:
                part.attrSet(name, _link(str(part.attrGet(name)), page, file, places))
    links = [
        (root / "README.md", "Start"),
        *((path, path.stem) for path in sorted((root / "docs").glob("*.md"))),
    ]
    navigation = [(places[path.resolve()], label) for path, label in links]
    navigation.append((out / REFERENCE / "index.html", "reference of the code"))
    targets = " ".join(
        f'<a href="{os.path.relpath(target, file.parent)}">{label}</a>' for target, label in navigation
    )
    head = HEAD.format(title=escape(re.sub(r"`", "", title)), style=STYLE)
    body = markdown.renderer.render(tokens, markdown.options, {})
    return f"{head}<nav>{targets}</nav>\n{body}\n</body>\n</html>\n"


def _slug(heading: str, seen: Counter[str]) -> str:
    """The anchor of a heading, as code hosts make it."""
    slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
    seen[slug] += 1
    return slug if seen[slug] == 1 else f"{slug}-{seen[slug] - 1}"


def _link(link: str, page: Path, file: Path, places: dict[Path, Path]) -> str:
    """A page's link, as the site needs it."""
    path, mark, anchor = link.partition("#")
    if not path or re.match(r"[a-z]+:", link):
        return link
    target = (page.parent / path).resolve()
    return os.path.relpath(places.get(target, target), file.parent) + mark + anchor


def write_reference(out: Path) -> None:
    """Write the reference of the package from its docstrings.

    Args:
        out: folder of the site.
    """
    import pdoc
    import pdoc.render

    for name in modules():
        _show_modules_inside(importlib.import_module(name))
    # Of annotations of other libraries, which only type checkers can resolve.
    warnings.filterwarnings("ignore", "Error parsing type annotation", UserWarning)
    # All are named, because a package that says what is public would keep others out.
    warnings.filterwarnings("ignore", "The module specification", UserWarning)
    pdoc.render.configure(
        docformat="google", show_source=False, footer_text="Dying ReLU", template_directory=TEMPLATES
    )
    pdoc.pdoc(*modules(), output_directory=out / REFERENCE)


def _show_modules_inside(package: ModuleType) -> None:
    """Let pdoc list the modules of a package that names what is public, and see what the package imports lazily."""
    if not (hasattr(package, "__path__") and hasattr(package, "__all__")):
        return
    for name in package.__all__:
        setattr(package, name, getattr(package, name))
    inside = (module.name for module in pkgutil.iter_modules(package.__path__))
    # A function may have the name of its module, and goes first.
    package.__all__ = [*package.__all__, *(name for name in inside if name not in package.__all__)]


def modules() -> list[str]:
    """The package and all modules inside it, by their names."""
    package = importlib.import_module(PACKAGE)
    inside = pkgutil.walk_packages(package.__path__, f"{PACKAGE}.")
    return [PACKAGE, *(module.name for module in inside)]


def broken_links(out: Path) -> list[str]:
    """The links of the site that lead nowhere, each with the page that has it.

    Args:
        out: folder of the site.
    """
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(out.rglob("*.html"))}
    anchors = {file: set(re.findall(r'\bid="([^"]+)"', text)) for file, text in texts.items()}
    return [
        f"{file.relative_to(out)}: {link}"
        for file, text in texts.items()
        for link in links(text)
        if not _leads_somewhere(link, file, anchors)
    ]


def links(text: str) -> Iterator[str]:
    """The targets of a page's links and images that are no addresses.

    Args:
        text: HTML.
    """
    text = re.sub(r"(<script\b[^>]*>).*?</script>", r"\1", text, flags=re.DOTALL)
    for link in re.findall(r'<(?:a|img|link|script)\b[^>]*\b(?:href|src)="([^"]*)"', text):
        if not re.match(r"[a-z]+:", link):
            yield unquote(link)


def _leads_somewhere(link: str, file: Path, anchors: dict[Path, set[str]]) -> bool:
    path, _, anchor = link.partition("#")
    target = (file.parent / path).resolve() if path else file
    # pdoc names where a member is inherited from, also where that is private and not shown.
    is_private = re.search(r"(^|\.)_", anchor)
    return target.exists() and (
        not anchor or bool(is_private) or target not in anchors or anchor in anchors[target]
    )


def main() -> None:
    """Write the site, and fail if one of its links leads nowhere."""
    write_pages(OUT)
    write_reference(OUT)
    if broken := broken_links(OUT):
        sys.exit("error: links that lead nowhere:\n" + "\n".join(broken))
    print(f"{OUT / 'index.html'}")


if __name__ == "__main__":
    main()
