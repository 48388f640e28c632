"""All methods do the same work: they train the same networks to the same losses."""

import pytest
import torch
from torch import Tensor

from benchmarks.cases import CASES, Case, of_study
from benchmarks.methods import METHODS
from benchmarks.methods.base import NotPossible
from benchmarks.methods.torch_func_compiled import TorchFuncCompiled

CPU = torch.device("cpu")
STACK = 3
STEPS = 4


def losses(method: str, case: str, networks: range, precision: str = "float32") -> Tensor:
    """(steps, networks); on one minibatch of examples, so that their order in an epoch is no matter."""
    chosen = Case(case)
    examples = chosen.examples(chosen.batch_size)
    trainer = METHODS[method](chosen, networks, examples, precision, CPU)
    return torch.stack([trainer.step() for _ in range(STEPS)])


def losses_the_usual_way(case: str) -> Tensor:
    return torch.cat([losses("usual", case, range(k, k + 1)) for k in range(STACK)], 1)


def require(method: str) -> None:
    try:
        METHODS[method].require()
    except NotPossible as reason:
        pytest.skip(str(reason))
    METHODS[method].prepare_process()


@pytest.mark.parametrize("case", [*CASES, *of_study()])
def test_every_method_trains_the_same_networks_to_the_same_losses(case: str) -> None:
    expected = losses_the_usual_way(case)
    assert torch.allclose(expected[0], expected[0, 0]), "the networks start alike"
    assert expected[-1].unique().numel() == STACK, "their learning rates differ"
    assert (expected[-1] < expected[0]).all()
    for method in METHODS:
        if METHODS[method].trains_stacks and not METHODS[method].is_slow_to_prepare:
            torch.testing.assert_close(losses(method, case, range(STACK)), expected, rtol=2e-4, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["mlp-sgd-relu", "mlp-adam-relu", "cnn-sgd-relu"])
def test_so_does_a_compiled_step(case: str) -> None:
    require("torch_func_compiled")
    compiled = losses("torch_func_compiled", case, range(STACK))
    torch.testing.assert_close(compiled, losses_the_usual_way(case), rtol=2e-4, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_so_does_jax(case: str) -> None:
    require("jax")
    torch.testing.assert_close(
        losses("jax", case, range(STACK)), losses_the_usual_way(case), rtol=2e-4, atol=0
    )


def test_a_method_says_what_this_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.methods.jax_vmap.find_spec", lambda name: None)
    with pytest.raises(NotPossible, match="JAX is not installed: pip install jax"):
        METHODS["jax"].require()
    monkeypatch.setattr("benchmarks.methods.torch_func_compiled.shutil.which", lambda name: None)
    with pytest.raises(NotPossible, match="no C\\+\\+ compiler"):
        METHODS["torch_func_compiled"].require()


def test_a_step_that_does_not_compile_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object) -> None:
        raise torch._dynamo.exc.TorchDynamoException("no luck\nwith this")

    case = CASES["mlp-sgd-relu"]
    trainer = TorchFuncCompiled(case, range(1), case.examples(case.batch_size), "float32", CPU)
    monkeypatch.setattr(trainer, "compiled", fails)
    with pytest.raises(NotPossible, match=r"torch\.compile failed: found no luck$"):
        trainer.step()


@pytest.mark.parametrize("case", ["mlp-sgd-relu", "mlp-adam-relu", "cnn-sgd-relu"])
@pytest.mark.parametrize(
    "method", [name for name, method in METHODS.items() if "bf16" in method.precisions("cpu")]
)
def test_lower_precision_trains_nearly_the_same(method: str, case: str) -> None:
    exact = losses(method, case, range(1))
    rounded = losses(method, case, range(1), "bf16")
    assert rounded.dtype == torch.float32
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, rtol=0.03, atol=0)
