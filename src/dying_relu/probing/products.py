"""Rules for products with weights: where they put units, and the weights and biases that these are computed with."""

from typing import Any

from torch import Tensor

from dying_relu.probing.tensor_origins import Call, Origin

MIXED = "its last axis comes from a product of two activations, such as one of queries and keys, and is none of units"


def linear(call: Call) -> Origin:
    """Units on the last axis, each with a row of the weights."""
    weight = call.argument(1, "weight")
    return Origin((-1,), weight, call.argument(2, "bias"), call.calls(weight))


def bilinear(call: Call) -> Origin:
    """Units on the last axis, with weights that are no rows of a matrix: bilinear layers, embeddings, attention."""
    return Origin((-1,), sources=call.calls(*call.arguments, *call.options.values()))


def product(call: Call) -> Origin:
    """``matmul``, ``mm``, ``bmm``: the matrices are the first two arguments."""
    return matrix_product(call, call.arguments[0], call.argument(1, "other"))


def product_and_sum(call: Call) -> Origin:
    """``addmm``, ``baddbmm``: the matrices are the second and the third argument, and the first is added."""
    product = matrix_product(call, call.arguments[1], call.arguments[2])
    return product.bare if call.options else with_bias(call, product, call.arguments[0])


def with_bias(call: Call, layer: Origin, bias: Any, sign: int = 1) -> Origin:
    """Add a bias to a layer, if it has an entry for each unit and none for anything else.

    Args:
        call: of which the units are the result.
        layer: the origin of what the bias is added to.
        bias: anything; of a shape that broadcasts against the units.
        sign: -1 if it is subtracted.

    Returns:
        The origin with the bias, (units,); without weights and bias if what was added is no such bias.
    """
    axes, shape = layer.axes, call.result.shape
    if not axes or not call.is_weight(bias) or bias.dim() > len(shape):
        return layer.bare
    places = [axis % len(shape) for axis in sorted(axes)]
    lengths = (1,) * (len(shape) - bias.dim()) + tuple(bias.shape)
    if any(length > 1 and place not in places for place, length in enumerate(lengths)):
        return layer.bare
    lengths = [shape[place] if place in places else 1 for place in range(len(shape))]
    entries = bias.detach().expand(lengths).reshape(-1)
    return Origin(axes, layer.weight, entries if sign > 0 else -entries, layer.sources, spread=layer.spread)


def matrix_product(call: Call, left: Any, right: Any) -> Origin:
    """``x @ weight`` has its units on the last axis, ``weight @ x`` on the one before; and on all axes along which weights differ.

    Args:
        call: of which the product is the result, or a part of it.
        left: the first factor.
        right: the second factor.
    """
    axes = call.result.dim()
    for weight, other, place in ((right, left, -1), (left, right, -2)):
        if call.is_weight(weight) and not call.is_weight(other):
            if (place == -2 and weight.dim() == 1) or (place == -1 and weight.dim() == 1):
                # A vector of weights makes one unit of what it is multiplied by.
                return Origin((), sources=call.calls(weight))
            at = -1 if (place == -2 and axes < 2) or other.dim() == 1 else place
            members = tuple(n - weight.dim() for n in range(weight.dim() - 2) if weight.shape[n] > 1)
            rows = weight.transpose(-1, -2) if place == -1 else weight
            return Origin((*members, at), rows, sources=call.calls(weight))
    known = {id(tensor): origin for tensor, origin in call.known}
    behind = known.get(id(right))
    if behind is not None and (behind.axes is None or (behind.axes and -1 not in behind.axes)):
        return Origin(None, sources=call.sources, reason=MIXED)
    if behind is not None and behind.axes:
        return Origin(tuple(axis for axis in behind.axes if -axis <= axes), sources=behind.sources)
    return Origin((-1,))


def sum_of_products(call: Call) -> Origin | None:
    """An einsum's units are those of its letters that its weights have, and without weights those that are units of an argument."""
    equation, operands = call.arguments[0], call.arguments[1:]
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    if not isinstance(equation, str):
        return None
    left, arrow, output = equation.replace(" ", "").replace("...", ".").partition("->")
    terms = left.split(",")
    if not arrow:
        letters = sorted({letter for letter in left if letter.isalpha() and left.count(letter) == 1})
        output = ("." if "." in left else "") + "".join(letters)
    weights = [one for one in operands if call.is_weight(one)]
    units: set[str] = set()
    if weights:
        for term, operand in zip(terms, operands, strict=True):
            if call.is_weight(operand):
                units |= {letter for n, letter in enumerate(term.partition(".")[0]) if operand.shape[n] > 1}
                behind = term.partition(".")[2]
                units |= {letter for n, letter in enumerate(behind) if operand.shape[n - len(behind)] > 1}
    else:
        for term, operand in zip(terms, operands, strict=True):
            for tensor, origin in call.known:
                if tensor is operand:
                    units |= {term[axis] for axis in origin.axes or () if -axis <= len(term)}
    front, _, behind = output.partition(".")
    axes = [n - call.result.dim() for n, letter in enumerate(front) if "." in output and letter in units]
    tail = behind if "." in output else output
    axes += [n - len(tail) for n, letter in enumerate(tail) if letter in units]
    sources = call.calls(*weights) if weights else call.sources
    if not axes:
        return Origin(None, sources=sources, reason=MIXED) if call.known or weights else None
    rows = None
    if len(weights) == 1:
        term = next(term for term, operand in zip(terms, operands, strict=True) if operand is weights[0])
        rows = _rows(weights[0], term, [letter for letter in output if letter in units])
    return Origin(tuple(axes), rows, sources=sources)


def _rows(weight: Tensor, term: str, units: list[str]) -> Tensor | None:
    """The weights of an einsum with the letters of its units first; None if not all of these are letters of the weights."""
    if "." in term or len(set(term)) < len(term) or not set(units) <= set(term):
        return None
    return weight.permute([term.index(letter) for letter in (*units, *(set(term) - set(units)))])


def convolution(axes: int, call: Call) -> Origin:
    """Units on the axis before those of positions.

    Args:
        axes: how many axes of positions there are.
        call: of the convolution.
    """
    weight = call.argument(1, "weight")
    return Origin((-(axes + 1),), weight, call.argument(2, "bias"), call.calls(weight))


def transposed_convolution(axes: int, call: Call) -> Origin:
    """Units as of a convolution; its weights have them on their second axis, and in groups those of one group alone.

    Args:
        axes: how many axes of positions there are.
        call: of the convolution.
    """
    weight, groups = call.argument(1, "weight"), call.argument(6, "groups")
    plain = isinstance(weight, Tensor) and groups in (None, 1)
    rows = weight.transpose(0, 1) if plain else None
    return Origin((-(axes + 1),), rows, call.argument(2, "bias"), call.calls(weight))
