"""Numbers with what they count."""


def some(number: int, one: str, many: str | None = None) -> str:
    """`1 letter`, `12,000 letters`; `many` where it is not the singular with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
