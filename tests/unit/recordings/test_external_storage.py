"""Which blobs of the app's own storage account are recordings; nothing is asked of the account here."""

from __future__ import annotations

import pytest

from shared.azure.external_storage import ExternalStorageSource
from shared.errors import ForeignLocation
from shared.storage_account import StorageAccount

KEY = "a2V5"
AZURE = ExternalStorageSource(
    StorageAccount(
        f"DefaultEndpointsProtocol=https;AccountName=calls;AccountKey={KEY};EndpointSuffix=core.windows.net"
    ),
    ["kept"],
)
LOCAL = ExternalStorageSource(
    StorageAccount(
        f"DefaultEndpointsProtocol=http;AccountName=local;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:10000/local;"
    ),
    ["kept"],
)
BLOBS = {AZURE: "https://calls.blob.core.windows.net", LOCAL: "http://127.0.0.1:10000/local"}
ACCOUNTS = pytest.mark.parametrize("account", [AZURE, LOCAL], ids=["azure", "local"])


@ACCOUNTS
def test_a_blob_of_a_container_that_is_named_is_a_recording(account: ExternalStorageSource) -> None:
    location = f"{BLOBS[account]}/kept/20261127/0%20a.wav?sv=1&sig=x"
    assert account.owns(location)
    blob = account._blob(location)
    assert (blob.container_name, blob.blob_name) == ("kept", "20261127/0 a.wav")
    assert "sig=x" not in blob.url


@ACCOUNTS
@pytest.mark.parametrize("path", ["", "/", "/kept", "/kept/", "//0.wav"])
def test_an_account_and_a_container_are_no_recordings(account: ExternalStorageSource, path: str) -> None:
    with pytest.raises(ForeignLocation, match="is not a blob of the app's own storage account"):
        account.delete(f"{BLOBS[account]}{path}")


@ACCOUNTS
def test_another_container_is_none_that_recordings_are_read_from(account: ExternalStorageSource) -> None:
    location = f"{BLOBS[account]}/private/0.wav"
    assert account.owns(location)
    with pytest.raises(ForeignLocation, match="is not a container that recordings are read from"):
        account.metadata(location)


@pytest.mark.parametrize(
    "location",
    [
        "https://others.blob.core.windows.net/kept/0.wav",
        "http://calls.blob.core.windows.net/kept/0.wav",
        "https://calls.blob.core.windows.net:8443/kept/0.wav",
        "http://127.0.0.1:10000/locality/kept/0.wav",
        "http://127.0.0.1:10000/other/kept/0.wav",
        "http://127.0.0.1:10001/local/kept/0.wav",
    ],
)
def test_what_lies_in_another_account_is_not_owned(location: str) -> None:
    for account in (AZURE, LOCAL):
        assert not account.owns(location)
        with pytest.raises(ForeignLocation, match="is not a blob of the app's own storage account"):
            account.delete(location)


@pytest.mark.parametrize("path", ["/kept/../private/0.wav", "/kept/%2e%2e/private/0.wav", "/kept/..%5cprivate/0.wav"])
@ACCOUNTS
def test_no_path_leads_out_of_its_container(account: ExternalStorageSource, path: str) -> None:
    assert not account.owns(f"{BLOBS[account]}{path}")
    with pytest.raises(ForeignLocation, match=r"has \. or \.\. in its path"):
        account.delete(f"{BLOBS[account]}{path}")
