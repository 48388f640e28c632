"""Nothing in the source runs what stands in a file, or hands a string to a shell."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for code in ("src", "benchmarks", "workflow") for path in (ROOT / code).rglob("*.py"))
NEVER = {
    "eval", "exec", "compile", "os.system", "os.popen", "pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.loads",
    "yaml.unsafe_load", "yaml.full_load", "pd.read_pickle", "joblib.load", "shelve.open", "subprocess.getoutput",
    "tarfile.TarFile.extractall",
}  # fmt: skip


def calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the name under which it is called."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def dangers(source: str) -> list[str]:
    """What in a program could run text or bytes that somebody else wrote."""
    return [
        f"line {call.lineno}: {ast.unparse(call)}"
        for name, call in calls(source)
        if _is_dangerous(name, call)
    ]


def _is_dangerous(name: str, call: ast.Call) -> bool:
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if name in NEVER or name.endswith((".extractall", ".extract")):
        return True
    if name == "torch.load":
        # The unpickler of that name calls nothing but what PyTorch allows in files of weights alone: tests/probing/test_weights.py.
        return options.get("weights_only") != "True" and options.get("pickle_module") != "_Inert"
    if name == "np.load":
        return options.get("allow_pickle", "False") != "False"
    if name in ("yaml.load", "yaml.load_all"):
        return options.get("Loader") not in ("yaml.SafeLoader", "yaml.CSafeLoader")
    if name.split(".")[-1] == "YAML":
        return options.get("typ") != "'safe'"
    if name.startswith("subprocess."):
        return options.get("shell", "False") != "False" or isinstance(
            call.args[0], ast.Constant | ast.JoinedStr
        )
    return False


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_call_can_run_what_a_file_says(path: Path) -> None:
    assert dangers(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "yaml.load(text, Loader=yaml.Loader)",
        "yaml.unsafe_load(text)",
        "YAML().load(text)",
        "ruamel.yaml.YAML(typ='unsafe').load(text)",
        "pickle.load(file)",
        "np.load(path, allow_pickle=True)",
        "archive.extractall(folder)",
        "os.system(f'cp {study}')",
        "subprocess.run(f'cp {study}', shell=True)",
        "subprocess.run(command, shell=shell)",
        "eval(text)",
    ],
)
def test_a_dangerous_call_would_be_found(line: str) -> None:
    assert dangers(line)


def test_the_constructor_of_studies_is_a_safe_one() -> None:
    from ruamel.yaml.constructor import SafeConstructor

    from dying_relu.configuration.yaml import StudyConstructor

    assert issubclass(StudyConstructor, SafeConstructor)
    assert StudyConstructor.yaml_constructors is SafeConstructor.yaml_constructors


def test_rules_quote_what_they_hand_to_the_shell() -> None:
    """Snakemake fills in ``{name}``; ``{name:q}`` is quoted. Numbers and what Snakemake names itself need no quotes."""
    import re

    for path in [
        ROOT / "Snakefile",
        *(ROOT / "workflow").rglob("*.smk"),
        *(ROOT / "benchmarks").rglob("*.smk"),
    ]:
        for command in re.findall(r"shell:\n((?: {8}.*\n)+)", path.read_text(encoding="utf-8")):
            unquoted = [field for field in re.findall(r"\{([^}]+)\}", command) if not field.endswith(":q")]
            assert set(unquoted) <= {"threads"}, f"{path.name}: {unquoted}"
