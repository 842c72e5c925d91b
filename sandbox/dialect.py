"""
What no public source settles about XPM's answers, as choices: a client has to cope with every one of them.

The defaults are what was recorded, or else what seems likeliest.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Dialect(BaseModel):
    """How this sandbox answers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    form: Literal["xml", "json"] = "xml"
    """XML, or JSON in camelCase whatever `Accept` says."""
    ids: Literal["uuid", "numeric"] = "uuid"
    """Version 3.0 prints numeric ids everywhere, and the UUID of a client as its last child."""
    api_method: bool = True
    """Whether the root element says which method answered."""
    declaration: bool = False
    """Whether an XML declaration, a default namespace and indentation come along."""
    unknown_client: Literal["error", "404"] = "error"
    """An id that is not there is `ERROR` with HTTP 200, or HTTP 404."""
    missing_scope: Literal["403", "401"] = "403"
    """The status of a method that the consent does not cover; the body is that of any such status."""
    words: Literal["what the other is", "what this one is"] = "what the other is"
    """What a bare word such as "Director" says; the word with "Of" says the opposite."""
    never_set: Literal["empty", "absent"] = "empty"
    """Addresses, phone, fax, website and the like where nobody has typed them; recorded as there and empty."""
    web_url: Literal["beside", "inside", "absent"] = "beside"
    """Where the link to the screen stands, of an answer about one client."""
    empty: Literal["closed", "open", "absent"] = "closed"
    """`<Notes />`, `<Notes></Notes>`, or no such element."""
    flags: Literal["words", "booleans"] = "words"
    """Yes and No, or true and false."""
    does_not_apply: Literal["as typed", "absent", "empty", "0"] = "as typed"
    """Shares and percentages of relationships that have none."""
    prospects: bool = False
    """Whether `IsProspect` is there."""
    archived_listed: bool = False
    """Whether a plain list brings archived records too."""
    ampersand: Literal["escaped", "bare"] = "escaped"
    """In the link to the next page; bare, as the documentation prints it, the document is not well-formed."""
    next_on_last_page: Literal["absent", "empty"] = "absent"
    """The link to the page after the last."""
    ties_count_as_changes: bool = False
    """Whether a changed relationship brings a record into the list of what was modified."""


AS_RECORDED = Dialect()
