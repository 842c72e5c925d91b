"""Where the stack's parts come from, as the environment says."""

from pathlib import Path

import pytest

from stack.errors import StackError
from stack.settings import Source, StackSettings


def test_without_variables_everything_is_decided_here():
    """An empty environment means: choose the source yourself, and keep the data in the project's own folder."""
    settings = StackSettings.from_environment({})

    assert settings.source is Source.AUTO
    assert settings.kafka is settings.postgres is None
    assert settings.folder == Path(__file__).parents[3] / ".muster"


def test_the_environment_gives_addresses_and_a_folder(tmp_path):
    """Addresses, source and folder are taken as given."""
    settings = StackSettings.from_environment(
        {
            "MUSTER_STACK": "environment",
            "MUSTER_KAFKA": "broker:9092",
            "MUSTER_POSTGRES_DSN": "postgresql://server/db",
            "MUSTER_FOLDER": str(tmp_path),
        }
    )

    expected = StackSettings(tmp_path, Source.ENVIRONMENT, "broker:9092", "postgresql://server/db")
    assert expected == settings


def test_an_empty_variable_counts_as_not_given():
    """`MUSTER_KAFKA=` in a compose file or a shell is no address."""
    settings = StackSettings.from_environment({"MUSTER_KAFKA": "", "MUSTER_STACK": ""})

    assert settings.source is Source.AUTO
    assert settings.kafka is None


def test_a_wrong_source_is_answered_with_the_right_ones():
    """A typing error is named together with what could have been meant."""
    with pytest.raises(StackError, match=r"'dokcer'.*auto, environment, docker, embedded"):
        StackSettings.from_environment({"MUSTER_STACK": "dokcer"})
