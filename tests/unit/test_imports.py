"""Data flows one way: which part of the package may import which."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "nifos_stream"
SHARED = {"messages", "settings", "errors", "nearest", "logs", "metrics", "kafka", "stage", "topic"}
MAY_IMPORT: dict[str, set[str]] = {
    **{name: set() for name in SHARED},
    "files": set(),
    "keywords": set(),
    "service": set(),
    "supervised": set(),
    "probes": set(),
    "model": set(),
    "stream": {"model"},
    "shadow": {"model", "stream", "counters"},
    "counters": set(),
    "alerts": {"counters"},
    "watch": {"counters", "alerts", "model"},
    "training": {"model", "files"},
    "local": {"stream", "counters", "model", "watch"},
    "bench": {"service", "files", "model", "stream", "counters", "local"},
    "commands": {
        "service",
        "supervised",
        "probes",
        "files",
        "keywords",
        "model",
        "stream",
        "shadow",
        "counters",
        "alerts",
        "watch",
        "training",
        "local",
    },
    "cli": {
        "bench",
        "commands",
        "service",
        "files",
        "model",
        "stream",
        "counters",
        "alerts",
        "watch",
        "training",
        "local",
    },
    "__main__": {"cli"},
    "__init__": {"model", "counters"},
}
SHARED_ORDER = {
    "errors": set(),
    "logs": set(),
    "stage": set(),
    "metrics": set(),
    "messages": set(),
    "nearest": set(),
    "settings": {"errors", "nearest"},
    "kafka": {"errors", "settings"},
    "topic": {"errors", "settings", "kafka"},
}
MAY_IMPORT_TORCH = {"model", "training"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file it does so."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def imported_parts(path: Path) -> set[str]:
    """The parts of this package that a file imports."""
    inside = (name.split(".") for name in imported_modules(path) if name.startswith("nifos_stream."))
    parts = {name[1] for name in inside}
    return {part for part in parts if (PACKAGE / part).is_dir() or (PACKAGE / f"{part}.py").exists()}


def sources() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    assert found
    return found


def test_every_part_of_the_package_is_on_the_map() -> None:
    """A new part says first what it may import."""
    assert {part_of(path) for path in sources()} <= set(MAY_IMPORT)


def test_a_part_imports_only_what_stands_below_it() -> None:
    """The map of the design holds for every file."""
    for path in sources():
        part = part_of(path)
        allowed = {part} | (SHARED_ORDER[part] if part in SHARED else MAY_IMPORT[part] | SHARED)
        assert imported_parts(path) <= allowed, f"{path} imports {imported_parts(path) - allowed}"


def test_only_the_model_and_training_import_torch() -> None:
    """Whoever only counts or watches never loads torch."""
    for path in sources():
        roots = {name.split(".")[0] for name in imported_modules(path)}
        if part_of(path) not in MAY_IMPORT_TORCH:
            assert not roots & {"torch", "transformers"}, f"{path} imports torch"
