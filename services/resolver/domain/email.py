"""E-mail syntax and normalisation: our own, so that no library's release changes what a record comes to."""

import re

MAX_LENGTH = 254
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(
    rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}\Z", re.ASCII
)


def is_email(text: str) -> bool:
    return len(text) <= MAX_LENGTH and _EMAIL.match(text) is not None


def normalised(email: str) -> str:
    """The form in which e-mails are compared: lower case; valid ones are ASCII."""
    return email.lower()
