"""Who may look into whom: the walls of docs/architecture.md, read from the source with `ast`.

A room is a folder of `dfn/`; `cli` counts as one. A module straight under `dfn/` is common ground: every room may
import it and it imports no room while it is being imported. Imports inside functions and under TYPE_CHECKING obey
the same walls; only the search for cycles leaves them out, because a cycle bites at import time.
"""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "design": set(),
    "data": set(),
    "models": {"design"},
    "training": {"design", "models", "data"},
    "runs": {"design", "models", "data", "training"},
    "referee": {"design", "data.info", "training", "runs"},
    "insight": {"design", "models"},
    "lessons": {"design", "data.info", "insight.methods", "training.comparisons", "training.recipe"},
    "figures": set(),
    "views": {"figures.theme"},
    "notebook": {"design", "data", "models", "training", "runs", "insight", "figures", "views"},
    "handout": {"design", "data", "training.recipe", "runs", "insight", "figures.theme", "views"},
    "cli": {"design", "data", "models", "training", "runs", "referee", "insight", "lessons", "figures", "views"}
    | {"handout"},
}
WITHOUT_TORCH = ["dfn/design", "dfn/lessons", "dfn/figures", "dfn/views", "dfn/referee"]
WITHOUT_TORCH += [
    "dfn/runs/store.py",
    "dfn/training/recipe.py",
    "dfn/training/comparisons.py",
    "dfn/training/methods",
    "dfn/data/info.py",
]

# Written apart, so that this file does not report itself.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
SOMEONES_FOLDER = re.compile(r"(?<![\w.:/-])(/(home|Users|root|work)/|[A-Z]:\\Users\\)\w")
LEFT_BY_TOOLS = {"__pycache__", "runs", "test-artifacts", "build", "dist", "site"}
DOTTED_SOURCE = {".ci", ".github", ".streamlit"}
TEXT = {".py", ".js", ".md", ".toml", ".txt", ".yml", ".yaml", ".cff", ".json", ".jsonl", ".css", ".html", ".svg", ""}


@cache
def tree() -> list[Path]:
    """Every file of the project, relative to its root; without what tools and trainings leave behind."""
    found = []
    for folder, subfolders, names in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        subfolders[:] = [
            name
            for name in subfolders
            if (name in DOTTED_SOURCE or not name.startswith("."))
            and (name not in LEFT_BY_TOOLS or (name == "runs" and here != Path(".")))
        ]
        found += [here / name for name in names if not (name.endswith(".ipynb") and here == Path("notebooks"))]
    return sorted(found)


def sources(*places: str, suffixes: tuple[str, ...] = (".py",)) -> list[Path]:
    """The source files at or under the given places."""
    roots = [Path(place) for place in places]
    return [p for p in tree() if p.suffix in suffixes and any(p == r or p.is_relative_to(r) for r in roots)]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path, node: ast.AST) -> list[str]:
    """Absolute dotted names that an import statement asks for; `from a import b` gives `a.b`."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            package = list(path.with_suffix("").parts)
            base = package[: len(package) - level] if level else []
            prefix = ".".join(base + ([module] if module else []))
            return [f"{prefix}.{alias.name}" for alias in names]
    return []


def imports(path: Path) -> set[str]:
    """Everything that a file imports, at any depth of its code."""
    return {name for node in ast.walk(parsed(path)) for name in imported(path, node)}


def imports_at_once(path: Path) -> set[str]:
    """What a file imports while it is itself being imported."""

    def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
                yield from statements(statement.orelse)
                continue
            yield statement
            for block in ("body", "orelse", "finalbody"):
                yield from statements(getattr(statement, block, []))
            for handler in getattr(statement, "handlers", []):
                yield from statements(handler.body)

    return {name for statement in statements(parsed(path).body) for name in imported(path, statement)}


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def offences(paths: list[Path], *forbidden: str) -> list[str]:
    """`file: name` for every import of a forbidden top-level package."""
    return [f"{p}: {name}" for p in paths for name in sorted(imports(p)) if name.split(".")[0] in forbidden]


@pytest.mark.medium
def test_the_library_never_imports_streamlit_or_the_app() -> None:
    assert not offences(sources("dfn"), "streamlit", "app")


def test_rooms_without_torch_stay_without_torch() -> None:
    assert not offences(sources(*WITHOUT_TORCH), "torch", "captum")


def test_every_folder_of_the_library_is_a_known_room() -> None:
    assert {p.parts[1] for p in sources("dfn") if len(p.parts) > 2} <= MAY_IMPORT.keys()


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_arrows_between_rooms_run_one_way(room: str) -> None:
    wrong = []
    for path in sources(f"dfn/{room}", f"dfn/{room}.py"):
        for name in sorted(imports(path)):
            package, _, inside = name.partition(".")
            target = inside.split(".")[0]
            if package != "dfn" or target == room:
                continue
            if target in MAY_IMPORT:
                allowed = any(f"{inside}.".startswith(f"{place}.") for place in MAY_IMPORT[room])
            else:
                # `from dfn import fused` would reach a room through the front door, where no wall is seen.
                allowed = Path(f"dfn/{target}.py") in tree() or target == "__version__" or room == "cli"
            if not allowed:
                wrong.append(f"{path}: {name}")
    assert not wrong


def test_common_ground_looks_into_no_room() -> None:
    doors = {"dfn/__init__.py", "dfn/__main__.py", "dfn/cli.py"}
    ground = [p for p in sources("dfn") if len(p.parts) == 2 and p.as_posix() not in doors]
    assert not [
        f"{p}: {n}" for p in ground for n in imports_at_once(p) if n.split(".")[1:2] in [[r] for r in MAY_IMPORT]
    ]


@pytest.mark.medium
def test_no_two_modules_import_each_other() -> None:
    # Streamlit puts app/ on the path: `cached` and `app.cached` are the same module.
    modules = {module_name(path).removeprefix("app."): path for path in sources("dfn", "app")}
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = {name.removeprefix("app.") for name in imports_at_once(path)}
        wanted = {name if name in modules else name.rpartition(".")[0] for name in names}
        graph[module] = (wanted & modules.keys()) - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(" -> ".join(reversed(cycle.args[1])))


def test_importing_the_library_is_quick_and_light() -> None:
    program = (
        "import sys, time; start = time.perf_counter(); import dfn; seconds = time.perf_counter() - start;"
        "print(seconds, *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(5)
    ]
    loaded = set(runs[0].split()[1:])
    assert not loaded & {"torch", "plotly", "streamlit", "captum", "sklearn", "matplotlib", "pandas"}
    assert min(float(run.split()[0]) for run in runs) < 0.1


def test_caches_of_the_app_live_in_one_module() -> None:
    decorators = {"cache_data", "cache_resource"}
    found = {
        path.as_posix()
        for path in sources("app", "dfn", "notebooks", "benchmarks")
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Attribute) and node.attr in decorators)
        or (isinstance(node, ast.ImportFrom) and decorators & {alias.name for alias in node.names})
    }
    assert found <= {"app/cached.py"}


@pytest.mark.medium
def test_no_module_of_the_app_hides_another() -> None:
    # Streamlit puts the folder of main.py first on the path, so these names win over all others.
    ours = {p.parts[1].removesuffix(".py") for p in sources("app")} - {"__init__"}
    others = set(sys.stdlib_module_names) | set(importlib.metadata.packages_distributions()) - {"app"}
    assert not ours & others


@pytest.mark.medium
def test_nothing_is_unpickled() -> None:
    assert not offences(sources("."), "pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
    wrong = []
    for path in sources("."):
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Call):
                continue
            literal = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
            unsafe = ast.unparse(node.func) == "torch.load" and literal.get("weights_only") is not True
            if unsafe or literal.get("allow_pickle") is True or ast.unparse(node.func).endswith("read_pickle"):
                wrong.append(f"{path}:{node.lineno}")
        wrong += [f"{path}: torch.load" for name in imports(path) if name == "torch.load"]
    assert not wrong


def test_files_are_short_enough_to_be_read() -> None:
    lengths = {
        p: len((ROOT / p).read_text("utf-8").splitlines()) for p in sources("dfn", "app", suffixes=(".py", ".js"))
    }
    assert not {str(path): length for path, length in lengths.items() if length > 400}


@pytest.mark.parametrize("pattern", [UNFINISHED, SOMEONES_FOLDER], ids=["unfinished", "someone's folder"])
def test_no_text_names(pattern: re.Pattern[str]) -> None:
    assert not [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in tree()
        if path.suffix in TEXT
        for number, line in enumerate((ROOT / path).read_text("utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.medium
@pytest.mark.parametrize(
    ("place", "extras"),
    [
        ("dfn", {"notebooks", "cluster"}),
        ("app", {"app"}),
        ("notebooks", {"notebooks"}),
        ("benchmarks", {"app", "dev"}),
        ("tests", {"app", "notebooks", "cluster", "dev"}),
    ],
)
def test_every_direct_import_is_declared(place: str, extras: set[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["dependencies"] + [line for e in extras for line in project["optional-dependencies"][e]]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    distributions = importlib.metadata.packages_distributions()
    own = {"dfn", "app", "benchmarks"} | {p.parts[1].removesuffix(".py") for p in sources(place)}
    own |= {p.parts[1].removesuffix(".py") for p in sources("app")} if place == "tests" else set()
    wrong = []
    for path in sources(place):
        for top in {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names - own:
            if not declared & {canonicalize_name(name) for name in distributions.get(top, [top])}:
                wrong.append(f"{path}: {top}")
    assert not sorted(wrong)
