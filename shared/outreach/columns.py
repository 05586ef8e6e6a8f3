"""Which column of a file is what: as somebody says, or by the name in its header."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.errors import InvalidInput
from shared.outreach.csv_file import Row
from shared.yaml_text import did_you_mean

FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "key", "person id", "customer id", "contact id", "appointment id", "booking id", "reference",
           "customer number", "appointment number", "kundennummer", "patientennummer", "terminnummer", "terminid",
           "kunden id", "kennung", "referenz"),
    "number": ("number", "phone", "phone number", "telephone", "telephone number", "tel", "mobile", "mobile number",
               "cell", "cell phone", "e164", "telefon", "telefonnummer", "rufnummer", "mobil", "handy", "handynummer",
               "mobilnummer"),
    "name": ("name", "full name", "customer", "patient", "kunde"),
    "country": ("country", "country code", "land"),
    "language": ("language", "locale", "sprache"),
    "zone": ("zone", "time zone", "timezone", "tz", "zeitzone"),
    "appointment": ("appointment", "appointment at", "starts at", "start", "termin"),
    "date": ("date", "appointment date", "day", "datum", "termindatum"),
    "time": ("time", "appointment time", "uhrzeit", "zeit", "terminzeit"),
    "status": ("status", "state", "cancelled", "canceled", "storniert", "abgesagt"),
    "consent_at": ("consent at", "consent date", "consent", "opt in date", "einwilligung", "einwilligung am"),
    "consent_source": ("consent source", "opt in source", "einwilligung quelle", "quelle der einwilligung"),
}  # fmt: skip
"""What a column may be, and the names by which it is known without being told (case, accents, `_` and `-` apart)."""

_DIGITS = 7
"""So many in a cell of the first line are a number of somebody, not the name of a column (our choice)."""
REMEDY = 'Say which column is what: columns={"number": "Tel. privat"}.'


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands in a row, and what else is kept of a person, by name."""

    fields: Mapping[str, int]
    details: Mapping[str, int]

    def values(self, row: Row) -> dict[str, str]:
        """The cells of the fields, without white space around them."""
        return {field: row.cells[at].strip() for field, at in self.fields.items()}

    def kept(self, row: Row) -> dict[str, str]:
        """The cells of the details."""
        return {name: row.cells[at].strip() for name, at in self.details.items()}


def map_columns(
    header: Sequence[str], given: Mapping[str, str] | None = None, keep: Sequence[str] = (), needed: Sequence[str] = ()
) -> Columns:
    """Find the columns of a file.

    Args:
        given: the column of a field, by its name in the header; an empty name: the file has none, whatever it seems.
        keep: columns that are kept for the flow (`doctor`). Nothing else of a file is.
        needed: fields that must be there; `appointment` may also be a `date` and a `time`.

    InvalidInput for a column that is not there or there twice, and for a field that none or several columns could be.
    """
    names = [_folded(name) for name in header]
    fields = {field: _named(header, name, f"columns.{field}") for field, name in (given or {}).items() if name}
    if unknown := set(given or {}) - set(FIELDS):
        field = min(unknown)
        raise InvalidInput(f"columns.{field}", "is no field of a person.", did_you_mean(field, FIELDS) or REMEDY)
    taken = {*fields.values(), *(details := {name: _named(header, name, "keep") for name in keep}).values()}
    for field, known in FIELDS.items():
        if field in (given or {}):
            continue
        found = [at for at, name in enumerate(names) if name in known and at not in taken]
        if len(found) > 1:
            several = " and ".join(f"{header[at]!r} (column {at + 1})" for at in found)
            raise InvalidInput(f"columns.{field}", f"could be {several}.", REMEDY)
        fields.update(dict.fromkeys((field,), found[0]) if found else {})
    for field in needed:
        if field not in fields and not (field == "appointment" and {"date", "time"} <= set(fields)):
            if any(len(re.sub(r"\D", "", name)) >= _DIGITS for name in header):
                remedy = "Write the names of the columns into the first line."
                raise InvalidInput("file", "begins with a person, not with the names of its columns.", remedy)
            listed = ", ".join(map(repr, header))[:300]
            raise InvalidInput(f"columns.{field}", f"is none of the columns {listed}.", REMEDY)
    return Columns(fields, details)


def _named(header: Sequence[str], name: str, field: str) -> int:
    found = [at for at, one in enumerate(header) if _folded(one) == _folded(name)]
    if not found:
        remedy = did_you_mean(name, header) or "Write a name of the header."
        raise InvalidInput(field, f"names the column {name[:60]!r}, which the file has not.", remedy)
    if len(found) > 1:
        raise InvalidInput(field, f"names {name[:60]!r}, which {len(found)} columns are called.", "Rename one of them.")
    return found[0]


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]+", " ", "".join(sign for sign in plain if not unicodedata.combining(sign))).strip()
