"""Any text, YAML of any structure, and the smoke study with something else in one place are read as a study or refused."""

import functools
import operator
from collections.abc import Iterator
from pathlib import Path

import pytest
from any_input import quick, refused_or_read, structures
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dying_relu.configuration import Configuration
from dying_relu.configuration.load import MAX_BYTES, load, parse
from dying_relu.configuration.yaml import document, in_one_line
from dying_relu.errors import DyingReluError

SMOKE = Path(__file__).parents[2] / "config" / "smoke.yaml"


@given(st.text())
@example("&a [*a]")
@example("a: !!python/object/apply:os.system [touch pwned]")
@example("{[]: 1}")
@example("? {}\n: 1")
@example("a: 2026-13-45")
@example("a: " + "9" * 5000)
@example("[" * 5000)
@example("a: &x {<<: 1}")
@example("=")
@example("%YAML 1.1\n---\na: 1" + ":59" * 60_000)
@example("%YAML 3.0\n---\na: 1")
@example("%YAML 1.999999999999999999999\n---\na: 1")
@example("a: -_")
@example("a: ._")
@example("? [a, b]\n: 1")
@example("{[a]: 1, [a]: 2}")
@example("? - {a: b}")
@example("[" * 50 + "]" * 50)
@example("\x00")
@example("study: !!binary x")
@example("a: !!int ''")
@example("a: !!float ''")
@example("a: !!bool maybe")
@example("a: !!timestamp today")
@example("a: 0x")
@example("a: 0b_")
@example("a: 0x" + "f" * 100_000)
@example("a: 1" + ":59" * 60_000)
@example("'\\ud800': 1")
@example('{study: "\\ud800"}')
@example("study: {" + ",".join(f"a{i}: 1" for i in range(20_000)) + "}")
@example("\n".join(f"a{i}: 1" for i in range(20_000)))
def test_any_text_as_a_study(text: str) -> None:
    refused_or_read(parse, text)


@given(st.binary())
@quick
def test_any_bytes_as_a_study(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "my.yaml").write_bytes(content)
    refused_or_read(load, tmp_path / "my.yaml")


@given(structures)
def test_any_structure_as_a_study(structure: object) -> None:
    refused_or_read(parse, in_one_line(structure))


def places(structure: object, path: tuple = ()) -> Iterator[tuple]:
    """The way to every value in a structure."""
    items = (
        structure.items()
        if isinstance(structure, dict)
        else enumerate(structure)
        if isinstance(structure, list)
        else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


STUDY = document(SMOKE.read_text(encoding="utf-8"), "the smoke study")
PLACES = list(places(STUDY))
ONE_EXPERIMENT = STUDY | {"experiments": dict(list(STUDY["experiments"].items())[:1])}
"""The same study, which is read in a tenth of the time."""


def in_flow(value: object) -> str:
    """``value`` as it would stand in a section of one line."""
    return in_one_line({"here": value}).removeprefix("{here: ").removesuffix("}")


def with_another(structure: object, place: tuple, text: str, outside: tuple = ()) -> str:
    """The structure in one line, ``text`` at a place of it; what stands elsewhere is written once for all examples."""
    if not place:
        return text
    here, *rest = place

    def value(key: object, inside: object) -> str:
        return (
            with_another(inside, tuple(rest), text, (*outside, key)) if key == here else at((*outside, key))
        )

    if isinstance(structure, dict):
        return f"{{{', '.join(f'{key}: {value(key, inside)}' for key, inside in structure.items())}}}"
    assert isinstance(structure, list)
    return f"[{', '.join(value(key, inside) for key, inside in enumerate(structure))}]"


@functools.cache
def at(place: tuple) -> str:
    """What stands at a place of the study."""
    return in_flow(functools.reduce(operator.getitem, place, STUDY))


@given(st.sampled_from(PLACES), structures)
@settings(max_examples=150)
def test_a_study_with_anything_in_one_place(place: tuple, instead: object) -> None:
    refused_or_read(parse, with_another(STUDY, place, in_flow(instead)))


@given(st.text(st.characters(codec="utf-8"), min_size=1))
@example("x; touch pwned")
@example("$(touch pwned)")
@example("../../escaped")
@example("a b")
@example("-rf")
@example("a\nb")
def test_a_name_that_a_shell_or_a_path_could_misread_is_no_name_of_a_study(name: str) -> None:
    try:
        accepted = parse(in_one_line(ONE_EXPERIMENT | {"study": name})).study
    except DyingReluError:
        return
    assert isinstance(accepted, str)
    assert accepted.isascii()
    assert set(accepted) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
    assert not accepted.startswith("-")


def test_a_file_larger_than_any_study_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "my.yaml").open("wb") as file:
        file.truncate(MAX_BYTES * 10_000)
    with pytest.raises(DyingReluError, match=r"my\.yaml is too large"):
        load(tmp_path / "my.yaml")


@pytest.mark.parametrize("place", PLACES[:: len(PLACES) // 20])
def test_a_study_with_what_stood_there_is_that_study(place: tuple) -> None:
    assert document(with_another(STUDY, place, at(place)), "the study") == STUDY


@pytest.mark.parametrize("study", [STUDY, ONE_EXPERIMENT], ids=["smoke", "one experiment"])
def test_a_valid_study_is_still_read(study: dict) -> None:
    assert isinstance(parse(in_one_line(study)), Configuration)
