"""Settings."""

import pytest
from pydantic import ValidationError

from worker.settings import Settings

SECRET = "postgresql://muster:hunter2@db/muster"


def test_the_database_s_password_is_not_shown() -> None:
    """Settings may end up in a log or a trace."""
    assert "hunter2" not in repr(Settings(postgres_dsn=SECRET))


def test_a_wrong_setting_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable, not the value."""
    monkeypatch.setenv("MUSTER_SESSION_SECONDS", "hunter2")

    with pytest.raises(ValidationError) as refused:
        Settings()

    assert "session_seconds" in str(refused.value)
    assert "hunter2" not in str(refused.value)
