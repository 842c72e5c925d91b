"""Where the sign-in leads back to: a page of ours, and never somebody else's."""

import pytest

from services.portal.signin import BEGINNING, back_to


@pytest.mark.parametrize("path", ["/clients/oak%2Ffarm/review?after=a&after_id=b", "/integrations", "/"])
def test_it_leads_back_to_the_page_that_was_asked_for(path: str) -> None:
    assert back_to(path) == path


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "clients",
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "/clients\r\nSet-Cookie: a=b",
        "/clients\n",
        "/\telsewhere.example",
        b"/clients",
    ],
)
def test_it_leads_nowhere_else(address: object) -> None:
    assert back_to(address) == BEGINNING
