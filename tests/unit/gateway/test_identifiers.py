"""Identifiers as the SDK has them; its own function from a raw id, which is not public, is the oracle."""

from __future__ import annotations

import pytest
from azure.communication.callautomation._shared.models import identifier_from_raw_id
from azure.communication.callautomation._utils import serialize_identifier
from hypothesis import given
from hypothesis import strategies as st

from shared.azure.call_automation.translate import number, somebody
from shared.identifiers import Identifier
from tests.wire_identifiers import to_wire

GUID = "11111111-2222-4333-8444-555555555555"
EXTENSION = f"{GUID}_22222222-2222-4333-8444-555555555555_33333333-2222-4333-8444-555555555555"
KINDS = {
    "phone_number": "phoneNumber",
    "communication_user": "communicationUser",
    "microsoft_teams_user": "microsoftTeamsUser",
    "microsoft_teams_app": "microsoftTeamsApp",
    "teams_extension_user": "teamsExtensionUser",
    "unknown": "unknown",
}
PREFIXES = (
    "4:", "8:acs:", "8:dod-acs:", "8:gcch-acs:", "8:spool:", "8:orgid:", "8:dod:", "8:gcch:", "8:teamsvisitor:",
    "28:orgid:", "28:dod:", "28:gcch:", "28:", "28:dod-global:", "28:gcch-global:", "8:live:", "48:", "8:", "",
)  # fmt: skip
SUFFIXES = (
    "+14255550123",
    f"+14255550123_{GUID}",
    "14255550123",
    "anonymous",
    GUID,
    f"{GUID}_{GUID}",
    EXTENSION,
    "a:b",
)
raw_ids = st.builds(
    str.__add__,
    st.sampled_from(PREFIXES) | st.text(max_size=8),
    st.sampled_from(SUFFIXES) | st.text("ab_:+1", max_size=9),
).filter(bool)


@given(raw_ids)
def test_a_raw_id_means_what_the_sdk_says_that_it_means(raw_id: str) -> None:
    theirs, identifier = identifier_from_raw_id(raw_id), Identifier(raw_id=raw_id)
    ours = somebody(identifier)
    assert (type(ours), ours.raw_id, dict(ours.properties)) == (type(theirs), theirs.raw_id, dict(theirs.properties))
    assert identifier.kind == KINDS[theirs.kind.value]
    assert serialize_identifier(ours).serialize() == serialize_identifier(theirs).serialize()
    assert identifier.asserted_id == theirs.properties.get("asserted_id")
    assert identifier.cloud == theirs.properties.get("cloud", identifier.cloud).lower()
    assert identifier.is_anonymous == theirs.properties.get("is_anonymous", False)


@given(raw_ids.filter(bool))  # an empty one is nobody, and no model stands for it
def test_the_model_that_is_written_is_read_back_with_and_without_its_raw_id(raw_id: str) -> None:
    identifier = Identifier(raw_id=raw_id)
    wire = to_wire(identifier)
    assert Identifier.parse(wire) == identifier
    parts = identifier.name.split("_") if identifier.kind == "teamsExtensionUser" else [identifier.name]
    if identifier.kind != "unknown" and ":" in raw_id and all(parts):  # a model with an empty part stands for nobody
        assert Identifier.parse({**wire, "rawId": None}).key == identifier.key


@pytest.mark.parametrize("cloud", ["public", "PUBLIC", "dod", "DOD", "gcch", "GCCH", None])
def test_a_cloud_is_read_in_either_case(cloud: str | None) -> None:
    prefix = {"dod": "28:dod:", "gcch": "28:gcch:"}.get((cloud or "").lower(), "28:orgid:")
    assert Identifier.parse({"microsoftTeamsApp": {"appId": "a", "cloud": cloud}}).raw_id == f"{prefix}a"


@pytest.mark.parametrize("raw_id", ["4:+14255550123", "4:14255550123", f"4:+14255550123_{GUID}"])
def test_a_caller_id_is_the_number_alone(raw_id: str) -> None:
    caller_id = number(Identifier(raw_id=raw_id))
    assert caller_id is not None
    assert caller_id.properties["value"] == "+14255550123"
