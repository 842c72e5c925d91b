"""Texts as XPM prints them, and what they are taken for."""

import pytest

from services.importer.xpm import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2011-01-31", "2011-01-31"),
        ("2011-01-31T00:00:00", "2011-01-31"),
        ("2011-01-31T23:59:59.1234567Z", "2011-01-31"),  # the day as written, never shifted
        ("2011-01-31T00:00:00+13:00", "2011-01-31"),
        ("20110131", "2011-01-31"),
        ("  2011-01-31\n", "2011-01-31"),
        ("2024-02-29", "2024-02-29"),
        ("0001-01-01T00:00:00", None),  # how .NET prints a date that was never set
    ],
)
def test_dates_of_three_formats_become_calendar_dates(text, expected):
    """With dashes, with a time of day, with neither; the time of day is dropped."""
    assert expected == values.day(text)


@pytest.mark.parametrize(
    "text",
    ["2011-02-30", "2011-0131", "31/01/2011", "2011-01", "soon", "2011-01-31 00:00", "²⁰¹¹0131", "00000101"],
)
def test_what_is_no_date_is_unreadable(text):
    """A date is never guessed."""
    with pytest.raises(ValueError):
        values.day(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("Yes", True), ("true", True), (" YES ", True), ("No", False), ("False", False)]
)
def test_flags_of_both_kinds(text, expected):
    """Records say Yes and No, custom fields true and false."""
    assert expected is values.flag(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jo@bloggs.example", "jo@bloggs.example"),
        ("  NEW@EMAIL.COM ", "NEW@EMAIL.COM"),
        ("jo@bloggs.example;", "jo@bloggs.example"),
        ("<jo@bloggs.example>", "jo@bloggs.example"),
        ("mailto:jo@bloggs.example", "jo@bloggs.example"),
        ("jo.o'neil+tax@mail.bloggs-co.example", "jo.o'neil+tax@mail.bloggs-co.example"),
        ("jo@bloggs.example, sam@bloggs.example", None),
        ("jo@bloggs.example or sam", None),
        ("jo@bloggs", None),
        ("jo@@bloggs.example", None),
        ("jo@.example", None),
        ("jo@bloggs.42", None),
        (".jo@bloggs.example", None),
        ("jo..b@bloggs.example", None),
        ("see file", None),
        ("@", None),
        ("", None),
        ("a" * 65 + "@bloggs.example", None),
        ("jo@" + "b" * 250 + ".example", None),
    ],
)
def test_an_address_is_taken_only_when_it_stands_alone(text, expected):
    """Of several, or one among words, we would have to guess."""
    assert expected == values.only_address(text)


@pytest.mark.parametrize(("text", "expected"), [("1000", 1000), ("1,000", 1000), ("12.00", 12), ("0", None)])
def test_shares_are_whole_numbers_and_none_is_none(text, expected):
    """Where shares do not apply, XPM may print 0."""
    assert expected == values.whole(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50", "50"),
        ("33.3300", "33.33"),
        ("33.33333333", "33.333333"),
        ("100 %", "100"),
        ("0.00", None),
        ("999999999.9999999", "1000000000"),
    ],
)
def test_percentages_have_one_form_each(text, expected):
    """The same share is written in the same way, so that an import that changed nothing changes nothing."""
    assert expected == values.percentage(text)


def test_an_address_is_one_text_with_a_line_each():
    """Indented and blank lines, as the docs print them, come out trimmed and dropped."""
    street = values.lines("\r\n      Level 32, PWC Building\r\n\r\n      188 Quay Street\r\n    ")

    assert (
        values.address(street, ["Auckland Central", None, "1010"], "New Zealand")
        == "Level 32, PWC Building\n188 Quay Street\nAuckland Central 1010\nNew Zealand"
    )


def test_a_country_alone_is_no_address():
    """XPM fills the country in by itself."""
    assert values.address(None, [None, None], "Australia") is None


def test_lines_hold_no_control_characters():
    """Tabs and breaks become blanks; what cannot be seen goes; every kind of line break is one."""
    assert values.line("\t Jo\u0080\n\u00a0 Bloggs\u0007 \u009f") == "Jo Bloggs"
    assert values.lines("a\r\nb\u2028 \u0085c\x00") == "a\nb\nc"


@pytest.mark.parametrize("text", ["../staff.api/list", "a/b", "", "a?b", "-", "é", "a" * 65])
def test_an_id_is_letters_digits_and_dashes(text):
    """Ids go into paths: nothing else may."""
    with pytest.raises(ValueError):
        values.identifier(text)
