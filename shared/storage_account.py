"""The storage account of the app, as its settings name it: by a connection string, or by addresses and an identity.

The Functions host reaches the same account by the same settings, for its triggers
(https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from shared import setting_values
from shared.setting_values import setting_name

_BLOBS = re.compile(r"https://([a-z0-9]{3,24})\.(?:\w+\.)*blob\.(?:core|storage\.azure)\.")
"""The address of blobs, also of a private endpoint or of a zone."""
ADDRESSES = ("blobserviceuri", "queueserviceuri", "tableserviceuri")


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """Where blobs, queues and tables are, and who signs in.

    Attributes:
        connection_string: with a key or a shared access signature; empty: the app's identity signs in.
        blobs, queues, tables: addresses of the services, without a slash at the end; empty with a connection string.
        name: the account's; empty with a connection string, and where neither a setting nor the address of its blobs
            gives it.
        client_id: of the user-assigned managed identity that signs in; empty: see `managed`.
        managed: a managed identity signs in, nobody else; otherwise whoever the environment offers, as a developer.
    """

    connection_string: str = field(default="", repr=False)
    blobs: str = ""
    queues: str = ""
    tables: str = ""
    name: str = ""
    client_id: str = ""
    managed: bool = False


class StorageSettings(BaseModel):
    """The settings that name the account."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    azurewebjobsstorage__accountname: str = Field(
        "", pattern=r"^[a-z0-9]{3,24}$", description="Name of the storage account, if the app's identity signs in."
    )
    azurewebjobsstorage__blobserviceuri: str = Field(
        "", description="Address of its blobs, where that does not follow from the name."
    )
    azurewebjobsstorage__queueserviceuri: str = Field("", description="The same of its queues.")
    azurewebjobsstorage__tableserviceuri: str = Field("", description="The same of its tables.")
    azurewebjobsstorage__credential: Literal["", "managedidentity"] = Field(
        "", description="`managedidentity`: a managed identity signs in; empty: whoever the environment offers."
    )
    azurewebjobsstorage__clientid: str = Field(
        "", description="Client id of the user-assigned managed identity that signs in."
    )
    azurewebjobsstorage: str = Field(
        "",
        repr=False,
        validate_default=True,
        description="Connection string of the storage account for call context; empty: the app's identity signs in.",
    )

    @field_validator(*(f"azurewebjobsstorage__{name}" for name in ADDRESSES))
    @classmethod
    def _is_service(cls, value: str) -> str:
        if value:
            setting_values.check_address(value, "https", "https")
        return value.rstrip("/")

    @field_validator("azurewebjobsstorage__clientid")
    @classmethod
    def _is_client_id(cls, value: str) -> str:
        return setting_values.guid(value, prints="az identity show --query clientId") if value else value

    @field_validator("azurewebjobsstorage")
    @classmethod
    def _names_an_account(cls, value: str, info: ValidationInfo) -> str:
        if value:
            return setting_values.connection_string(value)
        given = {name: info.data.get(f"azurewebjobsstorage__{name}") for name in ("accountname", *ADDRESSES)}
        # What is wrong (None) is told already.
        if None in given.values() or given["accountname"] or all(given[name] for name in ADDRESSES):
            return value
        if any(given.values()):
            missing = [setting_name(f"azurewebjobsstorage__{name}") for name in ADDRESSES if not given[name]]
            raise ValueError(
                f"is not set, and neither is {' or '.join(missing)}; the app needs blobs, queues and tables"
            )
        raise ValueError("is missing")

    @property
    def storage_account(self) -> StorageAccount:
        """The account that these settings name."""
        if self.azurewebjobsstorage:
            return StorageAccount(self.azurewebjobsstorage)
        host = f"https://{self.azurewebjobsstorage__accountname}.{{}}.core.windows.net"
        return StorageAccount(
            blobs=self.azurewebjobsstorage__blobserviceuri or host.format("blob"),
            queues=self.azurewebjobsstorage__queueserviceuri or host.format("queue"),
            tables=self.azurewebjobsstorage__tableserviceuri or host.format("table"),
            name=self.azurewebjobsstorage__accountname or _name_in(self.azurewebjobsstorage__blobserviceuri),
            client_id=self.azurewebjobsstorage__clientid,
            managed=self.azurewebjobsstorage__credential == "managedidentity",
        )


def _name_in(address: str) -> str:
    """The account's name in the address of its blobs; on this machine it is the path (Azurite)."""
    if match := _BLOBS.match(address):
        return match[1]
    return urlsplit(address).path.strip("/") if setting_values.is_loopback(address) else ""
