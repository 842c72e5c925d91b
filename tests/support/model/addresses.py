"""E-mail syntax, as docs/rules.md words it."""

import string

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
LOCAL = set(LETTERS_AND_DIGITS + "!#$%&'*+/=?^_`{|}~-.")
LABEL = set(LETTERS_AND_DIGITS + "-")


def is_email(text: str) -> bool:
    """Whether the text is an e-mail address."""
    if len(text) > 254 or not text.isascii() or text.count("@") != 1:
        return False
    local, domain = text.split("@")
    return _is_local(local) and _is_domain(domain)


def _is_local(local: str) -> bool:
    return 1 <= len(local) <= 64 and set(local) <= LOCAL and all(local.split("."))


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return len(labels) >= 2 and all(map(_is_label, labels)) and not labels[-1].isdigit()


def _is_label(label: str) -> bool:
    return 1 <= len(label) <= 63 and set(label) <= LABEL and label[0] != "-" and label[-1] != "-"
