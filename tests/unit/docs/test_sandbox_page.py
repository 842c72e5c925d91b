"""What docs/sandbox.md says is what the sandbox does."""

from pathlib import Path

from sandbox.app import API_PATH, OLD_API_PATH
from sandbox.faults import MEANINGS

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def test_the_table_of_faults_is_complete():
    """Each kind with what it does, in the words that the sandbox's own page has."""
    table = PAGE.split("<!-- faults -->")[1].split("<!-- /faults -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]

    assert rows == [f"| `{kind}` | {meaning} |" for kind, meaning in MEANINGS.items()]


def test_the_paths_are_those_that_answer():
    """Both versions."""
    assert f"`{API_PATH}`" in PAGE
    assert f"`{OLD_API_PATH}`" in PAGE
