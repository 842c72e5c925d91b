"""Every verb teaches, and every verb that has an answer gives it to programs too."""

import re
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from ops.cli import VERBS, command_line
from ops.ending import MEANINGS, Exit

OPERATIONS = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
WITHOUT_AN_ANSWER = {"run", "sandbox"}
"""They stay up until Ctrl-C, and what they say meanwhile is for whoever started them."""


def commands(name: str) -> list[tuple[str, click.Command]]:
    """The verb, or the verbs below it."""
    command = typer.main.get_command(command_line(name)).commands[name]
    below = getattr(command, "commands", {})
    return [(f"{name} {each}", one) for each, one in below.items()] or [(name, command)]


ALL = [each for name in VERBS for each in commands(name)]


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_a_verb_shows_examples_and_answers_in_json(name, command):
    """What to type stands in its help, and programs can read its answer."""
    assert "For example:" in (command.help or "")
    assert f"    muster {name}" in (command.help or "")
    assert (name not in WITHOUT_AN_ANSWER) == (
        "--json" in {flag for parameter in command.params for flag in parameter.opts}
    )


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_each_example_stands_on_a_line_of_its_own(name, command):
    """As it is to be typed, also in a narrow terminal, where no word is cut off either."""
    verb = name.split()[0]
    said = CliRunner().invoke(command_line(verb), [*name.split(), "--help"], terminal_width=80).stdout
    examples = re.findall(r"^    (.*muster .*)$", command.help or "", re.MULTILINE)

    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert [each for each in examples if each not in lines] == []
    assert "\\\\" not in said
    assert "…" not in said


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_every_option_says_what_it_is_for(name, command):
    """An option without a word of help would only be guessed at."""
    silent = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]

    assert silent == []


def test_the_list_of_verbs_fits_a_narrow_terminal():
    """At 80 columns nothing is cut off."""
    said = CliRunner().invoke(command_line(None), ["--help"], terminal_width=80).stdout

    assert all(name in said for name in VERBS)
    assert max(map(len, said.splitlines())) <= 80
    assert "…" not in said


def test_the_exit_codes_are_those_of_the_page():
    """The table in docs/operations.md is the list in the code."""
    found = re.findall(r"^\| (\d+) \| (.+) \|$", OPERATIONS, re.MULTILINE)

    assert found == [(str(code.value), MEANINGS[code]) for code in Exit]


def test_a_token_is_one_word(monkeypatch):
    """However narrow the terminal: it goes into a variable or a header."""
    monkeypatch.setenv("MUSTER_DEMO", "true")
    monkeypatch.setenv("COLUMNS", "40")
    said = CliRunner().invoke(command_line("token"), ["token", "oak", "--audience", "portal"]).stdout

    assert len(said.split()) == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("replay --status --swap", "--status and --swap: --status only says where things stand."),
        ("replay --discard --status", "--status and --discard"),
        ("replay --discard --swap", "--discard and --swap"),
        ("replay --until 2h --swap", "--until and --swap"),
        ("replay --tenant oak --back", "--tenant and --back"),
        ("replay --back --anew", "--back and --anew"),
        ("replay --keep", "--keep belongs to --until or --tenant"),
        ("replay --tenant=", "--tenant needs the id of a practice"),
    ],
)
def test_options_that_contradict_each_other_are_refused_before_anything_is_looked_at(words, complaint):
    """By a sentence that names them both."""
    said = CliRunner().invoke(command_line("replay"), words.split())

    assert said.exit_code == Exit.USAGE
    assert complaint in said.stderr


def test_what_is_no_address_of_a_database_is_said_of_its_variable(monkeypatch):
    """And not by whatever would have taken it apart."""
    monkeypatch.setenv("MUSTER_POSTGRES_DSN", "secret")
    said = CliRunner().invoke(command_line("audit"), ["audit"])

    assert said.exit_code == Exit.USAGE
    assert said.stderr == "MUSTER_POSTGRES_DSN: say postgresql://USER:PASSWORD@HOST:PORT/DATABASE\n"
