"""A study's YAML text becomes lists, dictionaries and scalars: in time and memory in proportion to its length, and nothing runs."""

from typing import Any

import yaml

from dying_relu.configuration.messages import shown
from dying_relu.errors import DyingReluError

LONGEST_NUMBER = 100
"""Characters; a double needs 24 and at most 17 digits of them count."""

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def document(text: str, name: str) -> Any:
    """What the YAML ``text`` holds; ``name`` is what errors call it.

    Raises:
        DyingReluError: it is not YAML, is nested too deeply, or has something that no study needs.
    """
    try:
        return yaml.load(text, Loader=StudyLoader)  # noqa: S506 (it is a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise DyingReluError(f"{name} cannot be read as YAML: {line}{error.problem}") from None
    except yaml.YAMLError as error:
        raise DyingReluError(f"{name} cannot be read as YAML", found=" ".join(str(error).split())) from None
    except (ValueError, OverflowError) as error:
        # Impossible dates, a hexadecimal number without digits.
        raise DyingReluError(f"{name} cannot be read as YAML: {error}") from None
    except RecursionError:
        raise DyingReluError(f"{name} is nested too deeply") from None


class StudyLoader(yaml.SafeLoader):
    """Safe YAML without what a study never needs and a mistake or an attack may contain.

    A key given twice would silently lose its first value; aliases allow a small file to stand for a huge one; a tag says
    that a value is what it may not be, at which PyYAML stumbles; a number of a million digits takes hours.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("aliases (*name) are not supported", event)
        if getattr(event, "tag", None) is not None:
            raise _refusal("tags (!name) are not supported", event)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise _refusal(f"a number of {len(node.value):,} characters: {shown(node.value)}", node)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    line = seen[key.value].start_mark.line + 1
                    raise _refusal(
                        f"the key {shown(key.value)} stands here a second time (first in line {line})", key
                    )
                seen[key.value] = key
        return super().construct_mapping(node, deep)


def _refusal(problem: str, where: Any) -> yaml.MarkedYAMLError:
    """An error about an event or a node."""
    return yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)
