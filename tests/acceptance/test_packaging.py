"""The wheel, as the image installs it: complete, and runnable away from the checkout."""

import ast
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ops.cli import VERBS

PROJECT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"][
    "targets"
]["wheel"]["packages"]
PROCESSES = sorted(
    ".".join(path.parent.relative_to(PROJECT).parts)
    for package in PACKAGES
    for path in (PROJECT / package).rglob("__main__.py")
)


class Installed:
    """The wheel in an environment of its own, which has our dependencies too and nothing of the checkout."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self._scripts = folder / "environment" / "bin"
        self._elsewhere = folder / "elsewhere"
        self._elsewhere.mkdir()
        venv.create(self._scripts.parent, with_pip=False)
        self._install(wheel)

    def _install(self, wheel: Path) -> None:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--python",
            self._scripts / "python",
        ]
        subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", wheel], check=True)
        # a folder named in a .pth file is looked into, while the .pth files in it, the checkout's too, are not
        (site,) = self._scripts.parent.glob("lib/python*/site-packages")
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's programs in an empty folder, and with nothing in the environment."""
        return subprocess.run(
            [self._scripts / program, *arguments],
            cwd=self._elsewhere,
            env={},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of what is in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


def test_the_wheel_holds_every_file_of_the_packages(wheel) -> None:
    """Nothing is left out: no module, no SQL, no migration, no schema; and nothing else is in it."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    ours = {
        path.relative_to(PROJECT).as_posix()
        for package in PACKAGES
        for path in (PROJECT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert packed == ours
    assert {Path(name).suffix for name in ours} >= {".py", ".sql", ".json", ".lock"}


@pytest.mark.parametrize("process", PROCESSES)
def test_each_process_starts_from_an_empty_folder(installed, process) -> None:
    """It says what it is for, needing neither the checkout nor an environment."""
    help_given(installed.run("python", "-m", process, "--help"))


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_starts_from_an_empty_folder(installed, verb) -> None:
    """It says what it is for, needing neither the checkout nor an environment."""
    help_given(installed.run("muster", verb, "--help"))


def help_given(run: subprocess.CompletedProcess[str]) -> None:
    assert (run.returncode, run.stderr) == (0, "")
    assert "usage:" in run.stdout.lower()


def test_importing_reads_no_environment_and_opens_no_connection(installed) -> None:
    """Every module can be imported anywhere, in any order, by anybody, without anything happening."""
    run = installed.run("python", "-I", PROJECT / "tests" / "support" / "watched_imports.py", *PACKAGES)

    assert (run.returncode, run.stderr, run.stdout) == (0, "", "")


def test_a_package_itself_holds_a_docstring_and_nothing_else() -> None:
    """An `__init__.py` says what the package is for; code in it would run for whoever imports any part."""
    strange = [
        path.relative_to(PROJECT).as_posix()
        for package in PACKAGES
        for path in sorted((PROJECT / package).rglob("__init__.py"))
        if not is_a_docstring(ast.parse(path.read_text(encoding="utf-8")).body)
    ]

    assert strange == []


def is_a_docstring(statements: Sequence[ast.stmt]) -> bool:
    match statements:
        case [ast.Expr(ast.Constant(str()))]:
            return True
    return False
