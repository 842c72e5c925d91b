"""The locked requirements belong to the project's own, and pin everything."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stack.settings import project

PROJECT = tomllib.loads((project() / "pyproject.toml").read_text())["project"]
SERVICES = PROJECT["dependencies"]
STACK = SERVICES + PROJECT["optional-dependencies"]["stack"]
EVERYTHING = STACK + PROJECT["optional-dependencies"]["dev"]
FILES = ("build", "services", "stack", "dev")


def text(name):
    return (project() / "requirements" / f"{name}.txt").read_text()


def locked(name):
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text(name), re.MULTILINE))


@pytest.mark.parametrize(("name", "wanted"), [("services", SERVICES), ("stack", STACK), ("dev", EVERYTHING)])
def test_the_lock_has_what_the_project_asks_for(name, wanted):
    """`make lock` was run after the last change of pyproject.toml."""
    versions = locked(name)

    for requirement in map(Requirement, wanted):
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is not in requirements/{name}.txt: make lock"
        assert requirement.specifier.contains(version), f"{requirement} is locked as {version}: make lock"


@pytest.mark.parametrize("name", FILES)
def test_everything_is_pinned_by_hash_and_by_nothing_else(name):
    """A lock names files by what is in them; where they come from is the machine's own business."""
    entries = re.split(r"\n(?=\S)", text(name).strip())

    assert all(re.search(r"==\S+.*--hash=sha256:[0-9a-f]{64}", entry, re.DOTALL) for entry in entries)
    assert not re.search(r"https?://|--index|--find-links|file:", text(name))


@pytest.mark.parametrize("name", FILES[:-1])
def test_all_locks_agree(name):
    """What is tested is what runs: the same versions on every level."""
    assert locked(name).items() <= locked("dev").items()
