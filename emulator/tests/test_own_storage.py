"""Recordings that are exported to a container of the app's own, on a real Azurite."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.storage.blob import BlobClient, ContainerClient

from acs_emulator.testing import AsyncControl, Running, running_async
from devstack.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from emulator.tests.recording_support import UNMIXED, channels_of, download, recorded
from emulator.tests.support import SPEED, Application, Wire

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("emulator-storage")]


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with Azurite(log=tmp_path_factory.mktemp("azurite") / "azurite.log") as one:
        yield one


@pytest.fixture
async def emulator(application: Application, azurite: Azurite) -> AsyncIterator[Running[AsyncControl]]:
    settings = {"event_grid": f"{application.base}/eventgrid", "storage_connection_string": azurite.connection_string}
    async with running_async(speed=SPEED, **settings) as one:
        yield one
        assert (await one.control.health())["crashes"] == []


@pytest.fixture(scope="module")
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    with ContainerClient.from_connection_string(azurite.connection_string, "recordings") as client:
        client.create_container()
        yield client


def external(url: str) -> dict[str, Any]:
    storage = {"recordingStorageKind": "azureBlobStorage", "recordingDestinationContainerUrl": url}
    return {"externalStorage": storage}


async def test_the_files_lie_in_the_documented_layout_and_the_event_says_where(
    emulator: Running[AsyncControl], wire: Wire, answered: Any, container: ContainerClient
) -> None:
    desk = await answered()
    object.__setattr__(emulator.service.config, "recording_chunk_seconds", 1.0)
    data = await recorded(desk, "This will be stored in a place of my own.", **external(container.url))
    [described] = await emulator.control.recordings()
    assert (data["storageType"], data["recordingId"]) == ("AzureBlob", described["recordingId"])
    chunks = data["recordingStorageInfo"]["recordingChunks"]
    assert len(chunks) > 1
    folders = set()
    for index, chunk in enumerate(chunks):
        name = chunk["contentLocation"].removeprefix(f"{container.url}/")
        day, call, folder, file = name.split("/")
        assert (day, call) == (data["recordingStartTime"][:10].replace("-", ""), desk.answer["correlationId"])
        assert folder[:9] == f"{data['recordingId'][:8]}-"
        assert file == f"{index}-audiowavmultichannel.{chunk['documentId']}.wav"
        folders.add(folder)
        credential = {"account_name": ACCOUNT, "account_key": ACCOUNT_KEY}
        with BlobClient.from_blob_url(chunk["contentLocation"], credential) as blob:
            sound = blob.download_blob().readall()
        with BlobClient.from_blob_url(chunk["metadataLocation"], credential) as blob:
            metadata = json.loads(blob.download_blob().readall())
            assert blob.blob_name.endswith(f"/{index}-acsmetadata.{chunk['documentId']}.json")
        assert (metadata["chunkIndex"], channels_of(sound).shape[1]) == (index, 1)
        # The copy of the service is kept as well.
        built_in = f"{emulator.endpoint}/v1/objects/{chunk['documentId']}/content/audiowavmultichannel"
        assert (await download(wire, built_in))[1] == sound
        assert chunk["deleteLocation"] == built_in.partition("/content")[0]
    assert len(folders) == 1


async def test_mixed_mp3_is_named_as_documented(answered: Any, container: ContainerClient) -> None:
    mixed = {"recordingChannelType": "mixed", "recordingFormatType": "mp3"}
    data = await recorded(await answered(), "hello", **mixed, **external(container.url))
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    assert chunk["contentLocation"].endswith(f"/0-audiomp3.{chunk['documentId']}.mp3")


@pytest.mark.parametrize(
    ("account", "name", "reason"),
    [
        ("{own}", "no-such-container", "ResourceNotFoundError"),
        ("http://127.0.0.1:1/other", "recordings", "not of the account"),
    ],
    ids=["missing container", "foreign account"],
)
async def test_an_export_that_fails_leaves_the_locations_of_the_built_in_copy(
    emulator: Running[AsyncControl], wire: Wire, answered: Any, container: ContainerClient,
    account: str, name: str, reason: str,
) -> None:  # fmt: skip
    base = account.format(own=container.url.rpartition("/")[0])
    data = await recorded(await answered(), "hello", **external(f"{base}/{name}"))
    assert "storageType" not in data
    assert data["recordingId"]
    [chunk] = data["recordingStorageInfo"]["recordingChunks"]
    assert (await download(wire, chunk["contentLocation"]))[1][:4] == b"RIFF"
    told = [entry for entry in await emulator.control.timeline() if entry["what"] == "cannot export the recording"]
    assert reason in told[0]["text"]


async def test_without_a_connection_string_the_export_fails(
    emulator: Running[AsyncControl], answered: Any, container: ContainerClient
) -> None:
    object.__setattr__(emulator.service.config, "storage_connection_string", "")
    data = await recorded(await answered(), "hello", **external(container.url))
    assert data["recordingStorageInfo"]["recordingChunks"][0]["contentLocation"].startswith(emulator.endpoint)


@pytest.mark.parametrize("url", ["", "recordings", "ftp://127.0.0.1/a/b", "http://127.0.0.1/"])
async def test_a_container_that_is_no_url_is_refused(answered: Any, url: str) -> None:
    desk = await answered()
    body = {"callConnectionId": desk.leg, **UNMIXED, **external(url)}
    status, answer, _ = await desk.wire.send("POST", "/calling/recordings", body)
    assert (status, answer["error"]["target"]) == (400, "externalStorage.recordingDestinationContainerUrl")
