"""Each test runs in a process of its own, since a process can import torchvision only once."""

import subprocess
from pathlib import Path

import pytest
import warm_python

DECLARED = "[name for name in ('nms', 'qnms') if hasattr(torch.ops.torchvision, name)]"


def python(script: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``script``; modules in ``folder`` come before the installed ones."""
    if folder is not None:
        script = f"import sys; sys.path.insert(0, {str(folder)!r})\n{script}"
    return warm_python.run(script)


def invented(folder: Path, source: str) -> Path:
    (folder / "torchvision.py").write_text(source)
    return folder


def test_data_sets_and_transforms_can_be_used() -> None:
    done = python(
        "from dying_relu.adapters.torchvision_import import torchvision\n"
        "import torch\n"
        "from torchvision.transforms import v2\n"
        "assert torchvision.datasets.MNIST and torchvision.datasets.CIFAR10\n"
        "print(v2.functional.horizontal_flip(torch.tensor([[1, 2]])).tolist())"
    )
    assert done.stdout == "[[2, 1]]\n", done.stderr


def test_beside_a_cpu_only_torch_the_schemas_are_what_is_missing() -> None:
    plain = python("import torchvision")
    if plain.returncode == 0:
        pytest.skip("torchvision loads by itself here")
    assert "torchvision::nms does not exist" in plain.stderr
    done = python(f"import dying_relu.adapters.torchvision_import, torch; print({DECLARED})")
    assert done.stdout == "['nms', 'qnms']\n", done.stderr


def test_nothing_is_declared_where_torchvision_loads_by_itself(tmp_path: Path) -> None:
    folder = invented(tmp_path, "alone = True")
    done = python(
        f"from dying_relu.adapters.torchvision_import import torchvision\nimport torch; print(torchvision.alone, {DECLARED})",
        folder,
    )
    assert done.stdout == "True []\n", done.stderr


def test_the_real_torchvision_is_left_alone_where_its_operators_are_there() -> None:
    done = python(
        "import torch\n"
        "operators = torch.library.Library('torchvision', 'DEF')\n"
        "operators.define('nms(Tensor a, Tensor b, float c) -> Tensor')\n"
        "operators.define('qnms(Tensor a, Tensor b, float c) -> Tensor')\n"
        "import dying_relu.adapters.torchvision_import\n"  # declaring them twice would be an error
        "print(torch.ops.torchvision.nms.default._schema)"
    )
    if "Only a single TORCH_LIBRARY" in done.stderr:
        pytest.skip("torchvision's own operators load here")
    assert "Tensor a" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ("RuntimeError('CUDA is on fire')", "RuntimeError: CUDA is on fire"),
        ("ImportError('libpng is missing')", "ImportError: libpng is missing"),
    ],
)
def test_other_failures_are_told_as_they_are(tmp_path: Path, failure: str, said: str) -> None:
    done = python("import dying_relu.adapters.torchvision_import", invented(tmp_path, f"raise {failure}"))
    assert done.returncode != 0
    assert said in done.stderr
