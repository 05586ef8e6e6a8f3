"""Texts in several languages: their files, and what a flow makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.calls import Call, Choice, Flow, InvalidInput, NoInput, actions
from shared.calls.prompts import SsmlPrompt, TextPrompt
from shared.calls.rehearsal import Rehearsal
from shared.calls.texts import Texts, check_folder, read_texts
from shared.errors import TextsError
from tests.unit.calls.steps import Steps

ENGLISH = """\
language: en-US
voice: en-US-JennyNeural
texts:
  hello: Hello, {name}.
  bye: Goodbye.
choices:
  sales: [sales, buy something]
"""
GERMAN = """\
language: de-AT
voice: de-AT-IngridNeural
texts:
  hello: Guten Tag, {name}.
  bye: Auf Wiederhören.
choices:
  sales: Verkauf
"""


def written(folder: Path, **files: str) -> Path:
    for language, content in files.items():
        (folder / f"desk.{language}.yaml").write_text(content, "utf-8")
    return folder


@pytest.fixture
def texts(tmp_path: Path) -> Texts:
    return read_texts(written(tmp_path, en=ENGLISH, de=GERMAN), "desk")


# Files


def test_each_file_is_a_language(texts: Texts) -> None:
    german, english = texts.languages
    assert texts.names == ("de", "en")
    assert (german.tag, german.voice) == ("de-AT", "de-AT-IngridNeural")
    assert german.texts == {"hello": "Guten Tag, {name}.", "bye": "Auf Wiederhören."}
    assert (german.choices, english.choices["sales"]) == ({"sales": ("Verkauf",)}, ("sales", "buy something"))


def test_a_flow_without_files_has_no_texts(tmp_path: Path) -> None:
    assert read_texts(tmp_path, "desk").languages == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("language: en-US", "language: en", "desk.en.yaml:1: language: 'en' is not a language.*en-US"),
        ("language: en-US", "language: de-DE", "desk.en.yaml:1: language: is de-DE, but the file"),
        ("voice: en-US-JennyNeural", "voice:", "desk.en.yaml:2: voice: is empty"),
        ("voice: en-US-JennyNeural\n", "", "desk.en.yaml:1: voice: is missing.*Write voice"),
        ("voice:", "voices:", "desk.en.yaml:2: voices: is not a known key. Did you mean voice"),
        ("Hello, {name}.", "''", "desk.en.yaml:4: texts.hello: is empty"),
        ("Hello, {name}.", "[a, b]", "desk.en.yaml:4: texts.hello: must be one value"),
        ("Hello, {name}.", "Hello, {name", "desk.en.yaml:4: texts.hello: has a { or }"),
        ("Hello, {name}.", "Hello, {name!r}.", "desk.en.yaml:4: texts.hello: has a { or }"),
        ("Hello, {name}.", "Hello, {name.title}.", "desk.en.yaml:4: texts.hello: has a { or }"),
        ("Hello, {name}.", "Hello, {}.", "desk.en.yaml:4: texts.hello: has a { or }"),
        ("Hello, {name}.", "x" * 4001, "desk.en.yaml:4: texts.hello: has 4001 characters, more than 4000"),
        ("Hello, {name}.", "Hello, {first}.", "desk.en.yaml:4: texts.hello: there is no placeholder {name}.*de.yaml:4"),
        ("Hello, {name}.", "Hello.", "desk.en.yaml:4: texts.hello: there is no placeholder {name}"),
        ("bye: Goodbye.", "goodbye: Goodbye.", "desk.en.yaml:3: texts: there is no 'bye'.*desk.de.yaml:5 has it"),
        ("bye: Goodbye.", "bye: Goodbye.\n  more: More.", "desk.de.yaml:3: texts: there is no 'more'.*en.yaml:6 has"),
        ("bye: Goodbye.", "bye: Goodbye.\n  bye: Bye.", "desk.en.yaml:6: texts.bye: is given twice"),
        ("bye: Goodbye.", "a b: Goodbye.", "desk.en.yaml:5: texts.a b: is not a valid name"),
        ("sales: [sales, buy something]", "sale: [sale]", "desk.en.yaml:6: choices: there is no 'sales'"),
        ("sales: [sales, buy something]", "sales: []", "desk.en.yaml:7: choices.sales: is empty"),
        ("bye: Goodbye.", "bye: 'Goodbye.", "desk.en.yaml:.*not YAML"),
        (ENGLISH, "", "desk.en.yaml:1: texts: the file is empty"),
        (ENGLISH, "[]", "desk.en.yaml:1: texts: must be a mapping"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line_and_a_remedy(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in ENGLISH
    written(tmp_path, en=ENGLISH.replace(old, new), de=GERMAN)
    with pytest.raises(TextsError) as refused:
        read_texts(tmp_path, "desk")
    pattern = told.replace("{", r"\{").replace("}", r"\}")
    assert re.search(pattern, str(refused.value).replace("\n", " ")), str(refused.value)


def test_all_that_is_wrong_with_a_file_is_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, en=ENGLISH.replace("Hello, {name}.", "''").replace("en-US\n", "en\n"), de=GERMAN)
    with pytest.raises(TextsError) as refused:
        read_texts(tmp_path, "desk")
    assert [part in str(refused.value) for part in (":1: language", ":4: texts.hello")] == [True, True]


def test_the_text_for_the_fallback_takes_no_placeholder(tmp_path: Path) -> None:
    written(tmp_path, en=ENGLISH.replace("bye: Goodbye.", "fallback: Sorry {name}."))
    with pytest.raises(TextsError, match=r"desk.en.yaml:5: texts.fallback: has a placeholder"):
        read_texts(tmp_path, "desk")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("disk.en.yaml", "there is no flow 'disk'.*Did you mean desk"),
        ("desk.english!.yaml", "is not a language"),
        ("desk.en.yml", "Call it desk.en.yaml"),
        ("desk.yaml", "there is no flow ''"),
    ],
)
def test_a_file_that_no_flow_would_read_is_refused(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "desk.de.yaml").write_text(GERMAN)
    check_folder(tmp_path, ("desk",))
    (tmp_path / name).write_text(ENGLISH)
    with pytest.raises(TextsError, match=told):
        check_folder(tmp_path, ("desk",))


# Languages


@pytest.mark.parametrize(
    ("asked", "found"),
    [("de", "de"), ("DE", "de"), ("de-AT", "de"), ("de-CH", "de"), ("en-GB", "en"), ("fr", None), ("d", None)],
)
def test_a_language_is_found_by_its_name_its_tag_or_another_variety_of_it(
    texts: Texts, asked: str, found: str | None
) -> None:
    language = texts.find(asked)
    assert (language.name if language else None) == found


def test_of_two_varieties_the_exact_one_counts(tmp_path: Path) -> None:
    swiss = GERMAN.replace("language: de-AT", "language: de-CH")
    files = {"de": GERMAN, "de-CH": swiss}
    found = read_texts(written(tmp_path, **files), "desk")
    assert [language.name for tag in ("de-CH", "de-AT", "de-LI") if (language := found.find(tag))] == [
        "de-CH",
        "de",
        "de",
    ]


@pytest.mark.parametrize(
    ("given", "data", "default", "first"),
    [
        ("de", {"language": "en"}, "en-US", "de"),
        ("", {"language": "de-DE"}, "en-US", "de"),
        ("", {"language": None}, "en-GB", "en"),
        ("", "text", "en-US", "en"),
        ("", None, "fr-FR", "de"),
    ],
)
def test_a_call_begins_in_the_language_of_the_routing_its_input_the_settings_or_the_first_file(
    texts: Texts, given: str, data: Any, default: str, first: str
) -> None:
    assert texts.first(given, data, default) == first


def test_an_input_in_a_language_that_there_is_not_is_refused_with_those_that_there_are(texts: Texts) -> None:
    with pytest.raises(InvalidInput) as refused:
        texts.first("", {"language": "fr"}, "en-US")
    assert (refused.value.field, refused.value.remedy) == ("input.language", "There are: de, en.")


# In a flow


def rehearse(texts: Texts, function: Callable[[Call], Any], **options: Any) -> Rehearsal:
    call = Rehearsal(Flow("desk", function, texts=texts), **options)
    call.connect()
    return call


async def desk(call: Call) -> None:
    """Greets, and goes on in German for whoever says so."""
    await call.play(call.text("hello", name="Ada"))
    answer = await call.recognize(choices=[call.choice("sales", tone="one"), Choice("german", tone="nine")])
    if answer.choice == "german":
        call.language = "de-DE"
    await call.recognize(call.text("hello", name=7), choices=[call.choice("sales")])
    await call.play(call.text("bye"))


def test_texts_voice_phrases_and_recognition_are_those_of_the_language_of_the_call(texts: Texts) -> None:
    call = rehearse(texts, desk)
    call.prompt_ends()
    assert call.expect(actions.Recognize).language == "en-US"
    call.press("9")
    question = call.expect(actions.Recognize)
    assert question.prompts == (TextPrompt(text="Guten Tag, 7.", voice_name="de-AT-IngridNeural"),)
    assert (question.language, question.choices[0].phrases) == ("de-AT", ("Verkauf",))
    call.choose("sales")
    assert call.spoken == ["Hello, Ada.", "Guten Tag, 7.", "Auf Wiederhören."]


def test_a_rehearsal_begins_in_the_language_that_it_is_given(texts: Texts) -> None:
    assert rehearse(texts, desk, language="de").spoken == ["Guten Tag, Ada."]
    assert rehearse(texts, desk, placed_to=["+14255550100"], data={"language": "de"}).spoken == ["Guten Tag, Ada."]
    with pytest.raises(InvalidInput, match="There are: de, en"):
        rehearse(texts, desk, language="fr")


def test_recognition_that_is_told_a_language_listens_in_it_and_keys_have_none(texts: Texts) -> None:
    async def function(call: Call) -> None:
        await call.recognize(speech=True, language="fr-FR")
        await call.recognize(max_tones=1)

    call = rehearse(texts, function)
    assert call.expect(actions.Recognize).language == "fr-FR"
    call.say("bonjour")
    assert call.expect(actions.Recognize).language is None


TIMED = """language: en-US
voice: en-US-JennyNeural
texts:
  opens: "{who}: on {day:date} at {at:time}, call {number:digits} {{now}} & <then>."
"""


def test_days_times_and_digits_are_read_as_such(tmp_path: Path) -> None:
    async def function(call: Call) -> None:
        await call.play(call.text("opens", who="A&B", day="2026-11-30", at="09:30", number="+4711"))

    call = rehearse(read_texts(written(tmp_path, en=TIMED), "desk"), function)
    (prompt,) = call.expect(actions.Play).prompts
    assert isinstance(prompt, SsmlPrompt)
    assert prompt.ssml == (
        '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
        '<voice name="en-US-JennyNeural">A&amp;B: on '
        '<say-as interpret-as="date" format="ymd">2026-11-30</say-as> at '
        '<say-as interpret-as="time" format="hms24">09:30</say-as>, call '
        '<say-as interpret-as="digits">+4711</say-as> {now} &amp; &lt;then&gt;.</voice></speak>'
    )
    assert call.spoken == ["A&B: on 2026-11-30 at 09:30, call +4711 {now} & <then>."]


def test_a_placeholder_that_is_read_as_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextsError, match=r"\{day:dates\} does not say how it is read\. Did you mean date\?"):
        read_texts(written(tmp_path, en=TIMED.replace("day:date", "day:dates")), "desk")


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (lambda call: call.text("helo", name="Ada"), "Did you mean hello"),
        (lambda call: call.text("zzz"), "There are: bye, hello"),
        (lambda call: call.text("hello"), r"needs a value for \{name\}"),
        (lambda call: call.text("bye", name="Ada"), r"has no placeholder \{name\}"),
        (lambda call: call.choice("support"), "There are: sales"),
        (lambda call: setattr(call, "language", "fr"), "There are: de, en"),
    ],
)
def test_a_mistake_in_the_flow_says_what_there_is(texts: Texts, mistake: Callable[[Call], Any], told: str) -> None:
    seen: list[str] = []

    async def function(call: Call) -> None:
        with pytest.raises(InvalidInput, match=told) as refused:
            mistake(call)
        seen.append(str(refused.value))
        await call.ended()

    rehearse(texts, function)
    assert seen


def test_a_flow_without_texts_says_so_and_may_listen_in_any_language() -> None:
    async def function(call: Call) -> None:
        with pytest.raises(InvalidInput, match="no texts"):
            call.text("hello")
        with pytest.raises(InvalidInput, match="de-DE"):
            call.language = "german"
        call.log(call.language)
        call.language = "fr-FR"
        try:
            await call.recognize(speech=True)
        except NoInput:
            call.log(call.language)

    call = Rehearsal(Flow("plain", function))
    call.connect()
    assert call.expect(actions.Recognize).language == "fr-FR"
    call.stay_silent()
    assert call.logged == ["", "fr-FR"]


@pytest.mark.parametrize("cold", [False, True])
def test_a_call_asks_for_the_same_in_its_languages_when_it_is_replayed_after_any_step(texts: Texts, cold: bool) -> None:
    call = Steps(Flow("desk", desk, texts=texts), cold=cold, language="en-US")
    call.ring()
    call.step()
    call.step("german")
    call.step("sales")
    call.step()
    assert call.spoken == ["Hello, Ada.", "Guten Tag, 7.", "Auf Wiederhören."]
    assert (call.started.language, call.record.outcome) == ("en", "completed")


def test_the_language_of_a_call_stands_in_its_journal_so_that_other_settings_leave_it(texts: Texts) -> None:
    call = Steps(Flow("desk", desk, texts=texts), cold=True, language="de-DE")
    call.ring()
    call.conductor = call.world.conductor(flows={"desk": call.flow}, language="en-US", cached_calls=0)
    call.step()
    call.step("sales")
    assert call.spoken == ["Guten Tag, Ada.", "Guten Tag, 7."]


def test_a_call_goes_on_in_another_language_if_the_texts_of_its_own_are_gone(texts: Texts, tmp_path: Path) -> None:
    async def waits(call: Call) -> None:
        await call.signal("go")
        await call.play(call.text("bye"))

    call = Steps(Flow("desk", waits, texts=texts), cold=True)
    call.ring(language="de")
    (tmp_path / "desk.de.yaml").unlink()
    renewed = Flow("desk", waits, texts=read_texts(tmp_path, "desk"))
    call.flow, call.conductor = renewed, call.world.conductor(flows={"desk": renewed}, cached_calls=0)
    call.conductor.signal(call.call_id, "go")
    assert call.spoken == ["Goodbye."]


def test_a_call_from_before_there_were_languages_goes_on_and_hears_the_apology_of_the_settings(
    texts: Texts, tmp_path: Path
) -> None:
    async def waits(call: Call) -> None:
        await call.signal("go")
        await call.play(call.text("bye"))
        raise ValueError("a bug")

    call = Steps(Flow("desk", waits), cold=True)  # without texts, and so without a language
    call.ring()
    assert call.started.language is None
    call.flow = Flow("desk", waits, texts=with_apology(tmp_path))
    call.conductor = call.world.conductor(flows={"desk": call.flow}, cached_calls=0)
    call.conductor.signal(call.call_id, "go")
    call.step()
    assert call.spoken == ["Auf Wiederhören.", "Sorry"]


def with_apology(folder: Path) -> Texts:
    """The same texts, with one for the fallback."""
    for path in folder.glob("desk.*.yaml"):
        path.write_text(path.read_text("utf-8").replace("  bye:", "  fallback: Uh.\n  bye:"), "utf-8")
    return read_texts(folder, "desk")


def test_a_greeting_may_be_in_several_languages_while_the_call_stays_in_its_own(texts: Texts) -> None:
    async def function(call: Call) -> None:
        await call.play(call.text("bye"), call.text_in("de", "bye"))
        call.log(call.language)
        with pytest.raises(InvalidInput, match="There are: de, en"):
            call.text_in("fr", "bye")

    call = rehearse(texts, function)
    english, german = call.expect(actions.Play).prompts
    assert english != german
    assert (english.voice_name, german.voice_name) == ("en-US-JennyNeural", "de-AT-IngridNeural")  # type: ignore[union-attr]
    call.prompt_ends()
    assert call.logged == ["en"]
