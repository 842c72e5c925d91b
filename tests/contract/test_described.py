"""What a JSON schema says of a field is what stands below the field."""

from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from schemas.described import Described


class Lamp(Described):
    """A lamp."""

    colour: str
    """As it is seen
    from the sea."""
    height: int
    seconds: int = Field(description="Between two flashes")
    """Not this."""


class LaterLamp(Lamp):
    height: int
    """In metres."""
    keeper: Lamp | None = None
    """Whose lamp shines there too."""


Kept = TypeVar("Kept", bound=BaseModel)


class House(Described, Generic[Kept]):
    holds: Kept
    """What is in it."""


def descriptions(model: type[BaseModel]) -> dict[str, str | None]:
    fields = model.model_json_schema()["properties"]
    return {name: field.get("description") for name, field in fields.items()}


def test_a_field_is_described_by_the_string_below_it_unless_it_says_itself() -> None:
    assert descriptions(Lamp) == {
        "colour": "As it is seen\nfrom the sea.",
        "height": None,
        "seconds": "Between two flashes",
    }


def test_fields_that_are_taken_over_are_described_where_they_were_declared_last() -> None:
    assert descriptions(LaterLamp) == {
        "colour": "As it is seen\nfrom the sea.",
        "height": "In metres.",
        "seconds": "Between two flashes",
        "keeper": "Whose lamp shines there too.",
    }


def test_a_reference_is_described_beside_what_it_refers_to() -> None:
    schema = LaterLamp.model_json_schema()

    assert schema["$defs"]["Lamp"]["description"] == "A lamp."
    assert schema["$defs"]["Lamp"]["properties"]["colour"]["description"] == "As it is seen\nfrom the sea."


def test_a_generic_model_is_described_too() -> None:
    assert descriptions(House[Lamp])["holds"] == "What is in it."


def test_a_model_without_source_has_no_descriptions() -> None:
    made: dict[str, type[BaseModel]] = {}
    code = 'class Unseen(Described):\n    colour: str\n    """Lost."""\n'
    exec(code, {"Described": Described, "__name__": "nowhere"}, made)

    assert descriptions(made["Unseen"]) == {"colour": None}
