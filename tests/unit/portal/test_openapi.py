"""The OpenAPI document: whole, named, and with examples that the API would take."""

import jsonschema
import pytest
from fastapi import FastAPI

from services.portal.api import routing
from services.portal.api.examples import EXAMPLES

METHODS = {"get", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict:
    app = FastAPI(title="Muster portal", version="1")
    app.include_router(routing.router())
    routing.describe(app)
    return app.openapi()


def operations(document: dict) -> dict[str, dict]:
    return {
        f"{method} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_one(document: dict, name: str) -> None:
    """As its schema says."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    for example in EXAMPLES[name]:
        jsonschema.Draft202012Validator(schema).validate(example)


def test_each_operation_is_summed_up_and_its_name_is_its_own(document: dict) -> None:
    found = operations(document)

    assert all(each["summary"] and each["description"] and each["tags"] for each in found.values())
    assert len({each["operationId"] for each in found.values()}) == len(found)


def test_each_error_is_a_problem_document(document: dict) -> None:
    """Whatever the status; and what says when to come again is named."""
    for name, operation in operations(document).items():
        errors = {code: said for code, said in operation["responses"].items() if code >= "400"}
        assert {"401", "422", "429", "503"} <= set(errors), name
        assert all(set(each["content"]) == {"application/problem+json"} for each in errors.values()), name
        assert all("Retry-After" in errors[code]["headers"] for code in ("429", "503")), name


def test_what_is_accepted_says_where_to_ask(document: dict) -> None:
    """202 with `Location`, but for many commands at once, each of which has an address of its own."""
    for name, operation in operations(document).items():
        accepted = operation["responses"].get("202")
        if accepted is not None and name != "post /api/decisions":
            assert "Location" in accepted["headers"], name
