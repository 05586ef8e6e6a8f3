"""Actions out through the official SDK, azure-communication-callautomation 1.6.0."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from functools import singledispatchmethod
from typing import Any

from azure.communication.callautomation import (
    CallAutomationClient,
    CallConnectionClient,
    CommunicationUserIdentifier,
    FileSource,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsUserIdentifier,
    PhoneNumberIdentifier,
    RecognitionChoice,
    SsmlSource,
    TextSource,
    UnknownIdentifier,
)
from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

from shared.calls import actions
from shared.calls.prompts import Prompt
from shared.errors import ActionRefused
from shared.gateway.base import Request
from shared.identifiers import Identifier
from shared.transport import pooled_transport

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


class AcsGateway:
    """Performs actions on an Azure Communication Services resource.

    Args:
        endpoint: the resource's endpoint.
        access_key: its key; empty: the app's managed identity.
        cognitive_services_endpoint: sent with answer and create, so that speech works; empty: not sent.
        voice_name: the voice of text prompts that name none.
        language: what recognize listens for when the flow does not say.
        timeout: seconds that one request may take.
    """

    def __init__(
        self,
        endpoint: str,
        access_key: str,
        *,
        cognitive_services_endpoint: str = "",
        voice_name: str = "en-US-JennyNeural",
        language: str = "en-US",
        timeout: float = 8.0,
    ) -> None:
        credential: AzureKeyCredential | TokenCredential
        if access_key:
            credential = AzureKeyCredential(access_key)
        else:
            from azure.identity import DefaultAzureCredential  # 150 ms that a key does not need

            credential = DefaultAzureCredential()
        self._client = CallAutomationClient(
            endpoint,
            credential,
            transport=pooled_transport(timeout=timeout),
            # A caller is waiting: two quick retries, then the flow decides.
            retry_total=2,
            retry_backoff_factor=0.3,
            retry_backoff_max=2,
        )
        self._cognitive_services_endpoint = cognitive_services_endpoint or None
        self._voice_name = voice_name
        self._language = language

    def perform(self, request: Request) -> Mapping[str, Any]:
        action = request.action
        try:
            return self._perform(action, request) or {}
        except HttpResponseError as error:
            status = error.status_code or 0
            code = error.error.code if error.error is not None and error.error.code else str(status)
            message = error.error.message if error.error is not None and error.error.message else error.message
            raise ActionRefused(action.kind, status, str(code), message, transient=status in TRANSIENT) from error
        except AzureError as error:
            raise ActionRefused(action.kind, 0, "no_answer", str(error), transient=True) from error

    def connection_state(self, connection_id: str) -> str | None:
        try:
            properties = self._client.get_call_connection(connection_id).get_call_properties()
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise ActionRefused("get_call", 0, "no_answer", str(error), transient=True) from error
        return _word(properties.call_connection_state)

    # One method an action

    @singledispatchmethod
    def _perform(self, action: actions.Action, request: Request) -> Mapping[str, Any] | None:
        raise TypeError(f"no way to perform {action.kind}")

    @_perform.register
    def _(self, action: actions.Answer, request: Request) -> Mapping[str, Any]:
        properties = self._client.answer_call(
            request.incoming_call_context,
            request.callback_url,
            cognitive_services_endpoint=self._cognitive_services_endpoint,
            operation_context=request.operation_context,
            headers=_repeatable(request),
        )
        return _connection(properties)

    @_perform.register
    def _(self, action: actions.Reject, request: Request) -> None:
        self._client.reject_call(
            request.incoming_call_context, call_reject_reason=action.reason, headers=_repeatable(request)
        )

    @_perform.register
    def _(self, action: actions.Redirect, request: Request) -> None:
        self._client.redirect_call(request.incoming_call_context, _sdk(action.target), headers=_repeatable(request))

    @_perform.register
    def _(self, action: actions.CreateCall, request: Request) -> Mapping[str, Any]:
        number = action.caller_id.phone_number if action.caller_id else None
        properties = self._client.create_call(
            _sdk(action.target),
            request.callback_url,
            source_caller_id_number=PhoneNumberIdentifier(number) if number else None,
            source_display_name=action.display_name,
            cognitive_services_endpoint=self._cognitive_services_endpoint,
            operation_context=request.operation_context,
            headers=_repeatable(request),
        )
        return _connection(properties)

    @_perform.register
    def _(self, action: actions.Play, request: Request) -> None:
        self._call(request).play_media(
            [self._source(source) for source in action.sources],
            play_to=[_sdk(listener) for listener in action.to] if action.to else "all",
            loop=action.loop,
            interrupt_call_media_operation=action.interrupt,
            operation_context=request.operation_context,
            operation_callback_url=request.operation_callback_url,
        )

    @_perform.register
    def _(self, action: actions.Recognize, request: Request) -> None:
        prompts = [self._source(prompt) for prompt in action.prompts]
        self._call(request).start_recognizing_media(
            action.input,
            _sdk(action.participant),
            play_prompt=prompts[0] if len(prompts) == 1 else prompts or None,
            interrupt_prompt=action.interrupt_prompt,
            interrupt_call_media_operation=action.interrupt,
            initial_silence_timeout=action.initial_silence,
            choices=[
                RecognitionChoice(label=choice.label, phrases=list(choice.phrases), tone=choice.tone)
                for choice in action.choices
            ]
            or None,
            dtmf_max_tones_to_collect=action.max_tones,
            dtmf_inter_tone_timeout=action.inter_tone,
            dtmf_stop_tones=list(action.stop_tones) or None,
            # The SDK multiplies seconds by 1000; what the service takes is whole milliseconds.
            end_silence_timeout=action.end_silence,  # type: ignore[arg-type]
            speech_language=None if action.input == "dtmf" else action.language or self._language,
            operation_context=request.operation_context,
            operation_callback_url=request.operation_callback_url,
        )

    @_perform.register
    def _(self, action: actions.CancelAllMedia, request: Request) -> None:
        self._call(request).cancel_all_media_operations()

    @_perform.register
    def _(self, action: actions.HangUp, request: Request) -> None:
        self._call(request).hang_up(is_for_everyone=False)

    @_perform.register
    def _(self, action: actions.Terminate, request: Request) -> None:
        self._call(request).hang_up(is_for_everyone=True, headers=_repeatable(request))

    @_perform.register
    def _(self, action: actions.GetCall, request: Request) -> Mapping[str, Any]:
        return _connection(self._call(request).get_call_properties())

    # Translation

    def _call(self, request: Request) -> CallConnectionClient:
        if not request.connection_id:
            raise ActionRefused(request.action.kind, 0, "not_connected", "the call has no connection yet")
        return self._client.get_call_connection(request.connection_id)

    def _source(self, prompt: Prompt) -> FileSource | TextSource | SsmlSource:
        if prompt.kind == "file":
            return FileSource(url=prompt.url, play_source_cache_id=prompt.cache_id)
        if prompt.kind == "ssml":
            return SsmlSource(
                ssml_text=prompt.ssml,
                custom_voice_endpoint_id=prompt.custom_voice_endpoint_id,
                play_source_cache_id=prompt.cache_id,
            )
        voiced = prompt.voice_name is not None or prompt.locale is not None
        return TextSource(
            text=prompt.text,
            voice_name=prompt.voice_name if voiced else self._voice_name,
            source_locale=prompt.locale,
            voice_kind=prompt.voice_kind,
            custom_voice_endpoint_id=prompt.custom_voice_endpoint_id,
            play_source_cache_id=prompt.cache_id,
        )


def _sdk(identifier: Identifier) -> Any:
    """The SDK's type for an identifier; it has no public way to make one from a raw id."""
    raw_id = identifier.raw_id
    match identifier.kind:
        case "phoneNumber":
            return PhoneNumberIdentifier(identifier.phone_number or "", raw_id=raw_id)
        case "communicationUser":
            return CommunicationUserIdentifier(raw_id, raw_id=raw_id)
        case "microsoftTeamsUser":
            return MicrosoftTeamsUserIdentifier(raw_id.rpartition(":")[2], raw_id=raw_id)
        case "microsoftTeamsApp":
            return MicrosoftTeamsAppIdentifier(raw_id.rpartition(":")[2], raw_id=raw_id)
    return UnknownIdentifier(raw_id)


def _repeatable(request: Request) -> dict[str, str]:
    return {
        "Repeatability-Request-ID": str(request.repeatability_id),
        "Repeatability-First-Sent": formatdate(request.first_sent / 1000, usegmt=True),
    }


def _connection(properties: Any) -> dict[str, Any]:
    return {
        "callConnectionId": properties.call_connection_id,
        "serverCallId": properties.server_call_id,
        "correlationId": properties.correlation_id,
        "callConnectionState": _word(properties.call_connection_state),
        "targets": [target.raw_id for target in properties.targets or [] if target is not None],
    }


def _word(state: Any) -> str:
    """The SDK gives an enum for the states that it knows and a string for others."""
    return str(getattr(state, "value", state) or "")
