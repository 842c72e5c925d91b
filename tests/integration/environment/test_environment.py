"""The project's environment: made once, repaired when broken, and never asking the network for what is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stack.settings import project

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "small"
version = "1"
"""

BACKEND = '''
"""Builds an editable install of nothing, as pip asks a build backend to."""

import zipfile

INFO = "small-1.dist-info"
FILES = {
    "METADATA": "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n",
    "WHEEL": "Wheel-Version: 1.0\\nGenerator: small\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "RECORD": "",
}


def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "small-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for file, text in FILES.items():
            wheel.writestr(f"{INFO}/{file}", text)
    return name
'''


class Checkout:
    """A project that needs nothing from outside, with the real script that makes its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"

    def make(self, level="stack", **variables):
        """Run the script as make does; all it said."""
        finished = subprocess.run(
            [sys.executable, "-I", self.folder / "ops" / "environment.py", level],
            env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.code = finished.returncode
        return finished.stdout + finished.stderr


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    (folder / "ops").mkdir(parents=True)
    (folder / "requirements").mkdir()
    for level in ("stack", "dev"):
        (folder / "requirements" / f"{level}.txt").write_text("")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND)
    shutil.copy(project() / "ops" / "environment.py", folder / "ops")
    return Checkout(folder)


def test_it_is_made_once_and_then_left_alone(checkout):
    """The second time says and does nothing; a higher level includes the lower one."""
    said = checkout.make("dev")
    assert checkout.code == 0, said
    assert "finished" in said
    made = checkout.venv.stat().st_ctime_ns

    assert checkout.make("dev") == ""
    assert checkout.make("stack") == ""
    assert made == checkout.venv.stat().st_ctime_ns


def test_changed_requirements_are_installed_into_what_is_there(checkout):
    """A change of the lock costs what changed, not a new environment."""
    checkout.make()
    (checkout.venv / "kept").touch()
    (checkout.folder / "requirements" / "stack.txt").write_text("# changed\n")

    assert "finished" in checkout.make()
    assert (checkout.venv / "kept").exists()
    assert checkout.make() == ""


def test_a_half_made_environment_is_made_anew(checkout):
    """Whatever an interrupted make left, the next one does not stumble over it."""
    (checkout.venv / "bin").mkdir(parents=True)
    (checkout.venv / "bin" / "python").write_text("not a python")
    (checkout.venv / "bin" / "python").chmod(0o755)

    assert "finished" in checkout.make()
    assert checkout.code == 0


def test_a_moved_checkout_gets_an_environment_of_its_own(checkout, tmp_path):
    """The scripts of an environment name the place where it was made."""
    checkout.make()
    moved = Checkout(checkout.folder.rename(tmp_path / "moved"))

    assert "creating" in moved.make()
    assert str(tmp_path / "moved") in (moved.venv / "bin" / "pip").read_text()


def test_a_failure_shows_what_pip_said_and_is_not_taken_for_success(checkout):
    """What could not be installed is named, and tried again the next time."""
    (checkout.folder / "requirements" / "stack.txt").write_text("not-there==1 --hash=sha256:" + "0" * 64)

    for _ in range(2):
        said = checkout.make()
        assert checkout.code == 1
        assert "No matching distribution found for not-there==1" in said


def test_a_requirement_without_its_hash_is_refused(checkout):
    """Only what was locked is installed."""
    (checkout.folder / "requirements" / "stack.txt").write_text("not-locked==1\n")

    assert "--require-hashes" in checkout.make()
    assert checkout.code == 1


def test_an_index_that_does_not_answer_is_named_last(checkout):
    """What to do stands below whatever pip says, where people look first."""
    locked = "absent==1 --hash=sha256:" + "0" * 64
    (checkout.folder / "requirements" / "stack.txt").write_text(locked)

    said = checkout.make(PIP_NO_INDEX="0", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="1")

    assert checkout.code != 0
    assert "The package index does not answer" in said.splitlines()[-1]
