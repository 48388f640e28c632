"""A study that names entries of extensions, in a process of its own: what its plan, its training and the reference make of them."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "src"


def run(folder: Path, modules: dict[str, str], study: str) -> dict[str, Any]:
    """Write ``modules`` and the file of a ``study`` to ``folder``, and plan and train it there.

    Returns:
        What :func:`report` found.
    """
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    environment = os.environ | {
        "DYING_RELU_EXTENSIONS": ",".join(modules),
        "PYTHONPATH": str(SOURCE),
        "PYTHONSAFEPATH": "1",
    }
    done = subprocess.run(
        [sys.executable, __file__], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def report(path: Path) -> dict[str, Any]:
    from rich.console import Console

    from dying_relu.configuration import reference
    from dying_relu.plan import memory, overview, study

    planned = study.load(path)
    console = Console(file=io.StringIO(), width=200)
    overview.show(planned, console)
    schema = json.loads(reference.schema())
    found = {
        "imports torch": "torch" in sys.modules,
        "plan": console.file.getvalue(),  # type: ignore[attr-defined]
        "memory": {
            name: memory.of_job(replace(shard, optimisers={name: settings}))
            for shard in planned.shards
            for name, settings in shard.optimisers.items()
        },
        "fingerprints": [shard.fingerprint for shard in planned.shards],
        "schema": schema,
        "keys": reference.with_keys(f"{reference.START}\n{reference.END}"),
    }
    return found | {"dead": {shard.name: _trained(shard) for shard in planned.shards}}


def _trained(shard: Any) -> list[dict[str, Any]]:
    """Train ``shard`` on its own data set; the rows of its layers at the last step."""
    import pandas as pd

    from dying_relu.configuration import IMAGE_SETS
    from dying_relu.data import dataset, load
    from dying_relu.data.decode import Arrays
    from dying_relu.training.shard_job import train

    name, file = shard.dataset.name, Path(f"{shard.dataset.name}.safetensors")
    read = IMAGE_SETS[name].read
    assert read is not None
    dataset.save(name, Arrays(*read(None, Path())), "its own", file)
    train(shard, load(file, shard.dataset.train, shard.dataset.test, "cpu"), Path(shard.name))
    layers = pd.read_parquet(Path(shard.name) / "layers.parquet")
    last = layers[(layers["step"] == shard.steps) & (layers["probe"] == "train")]
    return json.loads(last.to_json(orient="records"))


if __name__ == "__main__":
    print(json.dumps(report(Path("study.yaml"))))
