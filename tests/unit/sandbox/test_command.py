"""The command line: what makes no sense is refused before anything is served."""

import socket

import pytest
import typer
from typer.testing import CliRunner

from sandbox.cli import command


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    found = typer.Typer()
    found.command()(command)
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        ["--made-up", "tern"],
        ["--made-up", "tern:x"],
        ["--made-up", "tern:5", "--made-up", "tern:6"],
        ["--made-up", "tern:1", "--relationships", "12"],
        ["--quota", "none"],
        ["--trouble", "often"],
        ["--trouble", "0"],
        ["--archived", "101"],
        ["--port", "70000"],
    ],
    ids=" ".join,
)
def test_arguments_that_make_no_sense_are_refused(app, arguments):
    """With the usual status, and with how it is meant."""
    ended = CliRunner().invoke(app, arguments)

    assert ended.exit_code == 2
    assert "Usage" in ended.output


def test_a_port_that_is_taken_is_said_in_one_sentence(app):
    """And what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = CliRunner().invoke(app, ["--port", str(taken.getsockname()[1])])

    assert ended.exit_code == 1
    assert ended.output.strip().endswith("Choose another with --port.")


def test_help_teaches(app):
    """Every option says what it is for, and there is an example to start from."""
    help_text = " ".join(CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output.split())

    for part in (
        "--port",
        "SEED:SIZE[:TOKEN]",
        "--relationships",
        "--quota",
        "PERCENT[:SEED]",
        "muster sandbox --made-up",
    ):
        assert part in help_text
