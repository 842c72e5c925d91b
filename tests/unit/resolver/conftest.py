"""Each rule is told twice: to the model and to the resolver."""

import pytest

from tests.support.journals.effort import offer_fuzzing
from tests.support.resolving.story import CoreResolver, ModelResolver, Story

offer_fuzzing()


@pytest.fixture(params=[ModelResolver, CoreResolver], ids=["model", "resolver"])
def story(request: pytest.FixtureRequest) -> Story:
    """A journal that is still empty."""
    return Story(request.param())
