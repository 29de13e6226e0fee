"""The page of error codes, from the table in ``docs/operate.md``.

``tests/test_error_codes.py`` compares that table with the code.
"""

from __future__ import annotations

import re

from scripts.site.tables import rows, section

_INTRODUCTION = """# Error codes

Every error has a `code`. It is in the error body of the client's dialect, in the error event of a
stream, and in the log line of the request. *Retry* states whether the same request can succeed
later. [Running tokenwire](../operate.md#error-codes) has the same list as one table.
"""


def errors_page(operate: str) -> str:
    """Return the page, with one heading per code in alphabetical order."""
    sections = {
        code: _section(code, statuses, retry, text)
        for codes, statuses, retry, text in rows(section(operate, "Error codes"))
        for code, statuses, retry in _each(codes, statuses, retry)
    }
    return "\n".join([_INTRODUCTION, *(sections[code] for code in sorted(sections))])


def _each(codes: str, statuses: str, retry: str) -> list[tuple[str, str, str]]:
    """Return one row for each code of a row; ``yes, no`` belongs to the codes in their order."""
    names = re.findall(r"`(\w+)`", codes)
    retries = retry.split(", ")
    if len(retries) != len(names):
        retries = [retry] * len(names)
    return [(name, statuses, one) for name, one in zip(names, retries, strict=True)]


def _section(code: str, statuses: str, retry: str, text: str) -> str:
    status = f"Status {statuses}" if statuses[0].isdigit() else "In a stream only"
    text = f"{text[:1].upper()}{text[1:]}.\n" if text else ""
    return f"## `{code}` {{ #{code} }}\n\n{status} · retry: {retry}\n\n{text}"
