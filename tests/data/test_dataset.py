import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from invented_images import invented
from safetensors import safe_open
from safetensors.torch import save_file

from dying_relu import data
from dying_relu.data import dataset
from dying_relu.data.decode import Arrays
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory, fashion: Arrays) -> Path:
    path = tmp_path_factory.mktemp("cache") / "fashion_mnist.safetensors"
    dataset.save("fashion_mnist", fashion, "imagination", path)
    return path


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Arrays]:
    path, arrays = tmp_path_factory.mktemp("cache") / "cifar100.safetensors", invented("cifar100")
    dataset.save("cifar100", arrays, "imagination", path)
    return path, arrays


def test_the_whole_training_split_has_mean_0_and_deviation_1(coloured: tuple[Path, Arrays]) -> None:
    images = data.load(coloured[0]).train_images
    assert images.dtype == torch.float32
    assert images.shape == (50_000, 3, 32, 32)
    assert images.mean((0, 2, 3)).abs().max() < 1e-5
    assert (images.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-5


def test_statistics_are_those_of_the_whole_training_split(coloured: tuple[Path, Arrays]) -> None:
    path, arrays = coloured
    part = data.load(path, train=5, test=3)
    pixels = arrays.train_images[:5000] / 255  # the invented images repeat
    assert np.allclose(part.mean, pixels.mean((0, 1, 2)), atol=1e-7)
    assert np.allclose(part.std, pixels.std((0, 1, 2)), atol=1e-7)
    assert part.mean[0] < part.mean[1] < part.mean[2]


def test_a_part_is_the_first_examples(coloured: tuple[Path, Arrays]) -> None:
    path, arrays = coloured
    part = data.load(path, train=5, test=3)
    assert (part.name, part.classes) == ("cifar100", 100)
    assert part.train_labels.tolist() == arrays.train_labels[:5].tolist()
    assert part.test_labels.dtype == torch.int64
    restored = part.test_images * part.std[:, None, None] + part.mean[:, None, None]
    assert np.allclose(255 * restored.permute(0, 2, 3, 1), arrays.test_images[:3], atol=1e-3)


def test_raw_pixels_are_from_0_to_1_as_they_are(coloured: tuple[Path, Arrays]) -> None:
    path, arrays = coloured
    part = data.load(path, train=5, test=3, pixels="raw")
    for images, expected in (
        (part.train_images, arrays.train_images[:5]),
        (part.test_images, arrays.test_images[:3]),
    ):
        assert np.allclose(images.permute(0, 2, 3, 1), expected / 255, atol=1e-6)


def test_grey_images_have_one_channel(grey: Path) -> None:
    assert data.load(grey, 2, 2).train_images.shape == (2, 1, 28, 28)


def test_loading_does_not_wait_for_torchvision(grey: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from dying_relu import data; "
        f"data.load(Path({str(grey)!r}), 2, 2); assert 'torchvision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_file_can_be_read_by_others(grey: Path, tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    assert grey.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match=r"no data set at .*mnist\.safetensors"):
        data.load(tmp_path / "mnist.safetensors")


def altered(path: Path, out: Path, change: Callable[[dict[str, torch.Tensor], dict[str, str]], None]) -> Path:
    """A copy of a data set's file, well-formed, with other tensors or metadata."""
    with safe_open(path, framework="pt") as file:
        tensors, said = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    change(tensors, said)
    save_file(tensors, out, said)
    shutil.copy(checksums.beside(path), checksums.beside(out))
    return out


def add_one(tensors: dict[str, torch.Tensor], _: dict[str, str]) -> None:
    tensors["train_images"][-1, 0, 0, 0] += 1


def other_label(tensors: dict[str, torch.Tensor], _: dict[str, str]) -> None:
    tensors["test_labels"][0] = 7


def other_mean(_: dict[str, torch.Tensor], said: dict[str, str]) -> None:
    said["mean"] = "0.5"


@pytest.mark.parametrize("change", [add_one, other_label, other_mean])
def test_a_file_that_was_changed_is_an_error_even_where_it_is_not_used(
    grey: Path, tmp_path: Path, change: Callable
) -> None:
    path = altered(grey, tmp_path / grey.name, change)
    with pytest.raises(
        DyingReluError, match=r"fashion_mnist\.safetensors is not .* damaged .*: found SHA-256 .* delete it"
    ):
        data.load(path, 2, 2)


def copied(path: Path, folder: Path) -> Path:
    """A copy of a data set's file, with its sum beside it."""
    shutil.copy(checksums.beside(path), folder)
    return Path(shutil.copy(path, folder))


def test_a_file_without_its_sum_is_an_error(grey: Path, tmp_path: Path) -> None:
    path = copied(grey, tmp_path)
    checksums.beside(path).unlink()
    with pytest.raises(
        DyingReluError, match=r"no checksum of it: expected fashion_mnist\.safetensors\.sha256"
    ):
        data.load(path, 2, 2)


@pytest.mark.parametrize("position", [0.001, 0.3, 0.9999])
def test_a_flipped_bit_is_an_error(grey: Path, tmp_path: Path, position: float) -> None:
    path = copied(grey, tmp_path)
    content = bytearray(grey.read_bytes())
    content[int(position * len(content))] ^= 8
    path.write_bytes(content)
    with pytest.raises(
        DyingReluError, match=r"fashion_mnist\.safetensors is not the file that was made: it is damaged"
    ):
        data.load(path, 2, 2)


@pytest.mark.parametrize("kept", [0, 4, 200, 100_000])
def test_a_truncated_file_is_an_error(grey: Path, tmp_path: Path, kept: int) -> None:
    path = copied(grey, tmp_path)
    path.write_bytes(grey.read_bytes()[:kept])
    with pytest.raises(
        DyingReluError, match=r"fashion_mnist\.safetensors is not the file that was made: it is damaged"
    ):
        data.load(path)


@pytest.mark.parametrize(
    "metadata", [None, {"name": "mnist"}, {"name": "atari"}, {"name": "mnist", "mean": "0", "std": "1"}]
)
def test_another_safetensors_file_is_an_error(tmp_path: Path, metadata: dict[str, str] | None) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({part: torch.zeros(3) for part in Arrays._fields}, path, metadata)
    checksums.write_beside(path)
    with pytest.raises(DyingReluError, match=r"weights\.safetensors is not a data set's file"):
        data.load(path)


def test_more_examples_than_there_are_is_an_error(grey: Path) -> None:
    with pytest.raises(DyingReluError, match="too few test examples: found 10,000; expected 10,001"):
        data.load(grey, 10, 10_001)


def test_the_checksum_is_of_the_arrays_alone(grey: Path, fashion: Arrays, tmp_path: Path) -> None:
    dataset.save("fashion_mnist", fashion, "elsewhere", tmp_path / "same")
    other = fashion._replace(test_labels=fashion.test_labels[::-1].copy())
    dataset.save("fashion_mnist", other, "imagination", tmp_path / "other")
    found = [dataset.load(path, 2, 2).checksum for path in (grey, tmp_path / "same", tmp_path / "other")]
    assert found[0] == found[1] != found[2]
