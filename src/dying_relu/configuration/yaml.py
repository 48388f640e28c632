"""YAML 1.2: a study's text becomes lists, dictionaries and scalars, in time and memory in proportion to its length, and nothing runs."""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, MaxDepthExceededError
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.parser import Parser
from ruamel.yaml.tokens import DirectiveToken

from dying_relu.configuration.messages import shown
from dying_relu.errors import DyingReluError

LONGEST_NUMBER = 100
"""Characters; a double needs 24 and at most 17 digits of them count."""
MAX_DEPTH = 20
"""Of lists and sections inside each other; a study has seven."""

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_MERGE = "tag:yaml.org,2002:merge"


def document(text: str, name: str) -> Any:
    """Read the YAML ``text``.

    Args:
        text: one YAML document.
        name: what errors call it.

    Raises:
        DyingReluError: it is not YAML, is nested too deeply, or has something that no study needs.
    """
    try:
        return _study_yaml().load(text)
    except MaxDepthExceededError as error:
        raise DyingReluError(f"{name} is nested too deeply", found=_line(error)) from None
    except MarkedYAMLError as error:
        place = f"{_line(error)}: " if error.problem_mark else ""
        raise DyingReluError(f"{name} cannot be read as YAML: {place}{error.problem}") from None
    except YAMLError as error:
        raise DyingReluError(f"{name} cannot be read as YAML", found=" ".join(str(error).split())) from None
    except (ValueError, OverflowError, TypeError) as error:
        # Impossible dates, a hexadecimal number without digits, keys that no dictionary can have.
        raise DyingReluError(f"{name} cannot be read as YAML: {error}") from None


def in_one_line(value: object) -> str:
    """Write ``value`` as it would stand in a study.

    >>> in_one_line([{"name": "leaky_relu", "slope": 0.1}])
    '[{name: leaky_relu, slope: 0.1}]'
    """
    yaml, text = YAML(typ="safe", pure=True), io.StringIO()
    yaml.default_flow_style, yaml.width = True, 1000
    # A value that stands in two places is written twice, since studies have no aliases.
    yaml.representer.ignore_aliases = lambda _: True
    yaml.dump(value, text)
    return text.getvalue().removesuffix("...\n").strip()


class StudyParser(Parser):
    """Refuse directives: another version of YAML would read other numbers."""

    def process_directives(self) -> Any:
        if self.scanner.check_token(DirectiveToken):
            raise _refusal("directives (%NAME) are not supported", self.scanner.peek_token())
        return super().process_directives()


class StudyComposer(Composer):
    """Refuse what a study never needs and a mistake or an attack may contain.

    Aliases allow a small file to stand for a huge one; a tag says that a value is what it may not be; a number of a million digits takes
    hours; double keys are not noticed beside a merge.
    """

    def compose_node(self, parent: Node | None, index: Any) -> Any:
        event = self.parser.peek_event()
        if getattr(event, "anchor", None) is not None:
            raise _refusal("anchors (&name) and aliases (*name) are not supported", event)
        if getattr(event, "tag", None) is not None:
            raise _refusal("tags (!name) are not supported", event)
        node = super().compose_node(parent, index)
        if isinstance(node, ScalarNode):
            if node.tag == _MERGE:
                raise _refusal("merges (<<) are not supported", node)
            if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
                raise _refusal(f"a number of {len(node.value):,} characters: {shown(node.value)}", node)
        return node


class StudyConstructor(SafeConstructor):
    """Name the lines of a key that is given twice, and show no more of it than fits a message."""

    def check_mapping_key(self, node: Any, key_node: Any, mapping: Any, key: Any, value: Any) -> bool:
        if key not in mapping:
            return True
        first = next(other for other, _ in node.value if other.value == key_node.value)
        line = first.start_mark.line + 1
        raise _refusal(f"the key {shown(key)} stands here a second time (first in line {line})", key_node)


def _study_yaml() -> YAML:
    # Pure, since the library in C reads YAML 1.1.
    yaml = YAML(typ="safe", pure=True)
    yaml.Parser, yaml.Composer, yaml.Constructor = StudyParser, StudyComposer, StudyConstructor
    yaml.max_depth = MAX_DEPTH
    return yaml


def _line(error: MarkedYAMLError) -> str:
    return f"line {error.problem_mark.line + 1}"


def _refusal(problem: str, where: Any) -> MarkedYAMLError:
    """An error about a token, an event or a node."""
    return MarkedYAMLError(problem=problem, problem_mark=where.start_mark)
