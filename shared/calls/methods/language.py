"""The language of the call, and what is said in it."""

from __future__ import annotations

from shared.calls.actions import Choice, Tone
from shared.calls.methods.base import Methods
from shared.calls.prompts import SsmlPrompt, TextPrompt
from shared.calls.texts import Language
from shared.errors import InvalidInput


class LanguageMethods(Methods):
    """Texts, choices and voices of the language that the call is in."""

    @property
    def language(self) -> str:
        """The language of the call: by the routing, by `language` of its input, or by the setting SPEECH_LANGUAGE.

        It is the name of one of the flow's texts (`en`); of a flow without texts it is a tag (`en-US`), or empty
        until one is set. What is set counts from there on: for texts, their voice, and what `recognize` listens for.
        InvalidInput for a language that the flow has no texts in.
        """
        return self._host.language

    @language.setter
    def language(self, language: str) -> None:
        self._host.language = self._host.texts.called(language, "call.language")

    def text(self, name: str, /, **values: object) -> TextPrompt | SsmlPrompt:
        """A text of the flow in the language of the call, spoken by its voice.

        InvalidInput for a text that there is not, and for values that do not fit its placeholders.
        """
        return self._spoken(f"text {name!r}").prompt(name, values)

    def text_in(self, language: str, name: str, /, **values: object) -> TextPrompt | SsmlPrompt:
        """The same in another language, which the call does not change to: for a greeting in several."""
        texts = self._host.texts
        spoken = texts.find(texts.called(language, f"text {name!r}"))
        return (spoken or self._spoken(f"text {name!r}")).prompt(name, values)

    def choice(self, label: str, *, tone: Tone | None = None) -> Choice:
        """A choice for `recognize`, with the phrases that the flow's texts have for it. InvalidInput if they have none.

        Its label, which is what `answer.choice` gives, is the same in every language.
        """
        return Choice(label, tone=tone, phrases=self._spoken(f"choice {label!r}").phrases(label))

    def _spoken(self, field: str) -> Language:
        texts, language = self._host.texts, self._host.language
        if not texts.languages:
            raise InvalidInput(field, "is not there: the flow has no texts.", "Write <flow>.en.yaml beside its module.")
        # A call of an older version was started without a language.
        return (texts.find(language) if language else None) or texts.languages[0]
