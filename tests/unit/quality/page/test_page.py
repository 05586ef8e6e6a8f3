"""The page as text; tests/functional/quality opens it in a browser."""

from __future__ import annotations

import base64
import hashlib
import html as entities
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pathspec
import pytest

from shared.quality import page
from shared.quality.page import render
from shared.quality.report import Phrase, Redactions, Report, Transcript
from tests import quality_samples

FOLDER = Path(page.__file__).parent
ROOT = FOLDER.parents[2]
LINK = "https://archive.blob.core.windows.net/recordings/0.wav?sv=2026&sig=a%2Bb"
SAMPLES: dict[str, Callable[[], Report]] = {
    name: getattr(quality_samples, name) for name in ("short", "five_channels", "long", "mixed", "empty", "hostile")
}


class Parsed(HTMLParser):
    """Elements with their attributes, and the text of those that matter."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._open = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.raw:
            self.raw[self._open].append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    @property
    def policy(self) -> str:
        return next(one["content"] or "" for one in self.all("meta") if "http-equiv" in one)


def text_of(html: str) -> str:
    """What stands in the page to be read, on one line."""
    text = entities.unescape(re.sub(r"<[^>]+>", " ", html.partition("<main>")[2].partition("</main>")[0]))
    return " ".join(text.split())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_is_one_file_under_a_megabyte_that_loads_nothing(name: str) -> None:
    report = SAMPLES[name]()
    html = render(report, {})
    assert len(html.encode()) < 1_000_000
    parsed = Parsed(html)
    assert not [one for one in parsed.elements if one[1].get("src")]
    assert {tag for tag, _ in parsed.elements} & {"link", "img", "iframe", "object", "embed", "base", "form"} == set()
    assert not re.search(r"url\((?!#)|@import", "".join(parsed.raw["style"]))


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_in_the_markup_needs_a_weaker_policy(name: str) -> None:
    parsed = Parsed(render(SAMPLES[name](), {0: LINK}))
    for _, attributes in parsed.elements:
        assert "style" not in attributes
        assert not [one for one in attributes if one.startswith("on")]


@pytest.mark.parametrize("name", SAMPLES)
def test_ids_are_unique_and_references_lead_somewhere(name: str) -> None:
    parsed = Parsed(render(SAMPLES[name](), {0: LINK}))
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {
        (attributes[key] or "").removeprefix("#")
        for _, attributes in parsed.elements
        for key in ("aria-describedby", "aria-labelledby", "href")
        if key in attributes
    }
    assert wanted <= set(ids)


def test_the_policy_names_our_style_and_script_and_the_audio_by_its_origin() -> None:
    parsed = Parsed(render(quality_samples.short(), {0: LINK, 1: "http://127.0.0.1:10000/acc/1.wav?sig=c"}))
    ours = "".join(parsed.raw["script"][1:])
    for kind, text in (("style", "".join(parsed.raw["style"])), ("script", ours)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in parsed.policy
    assert "media-src http://127.0.0.1:10000 https://archive.blob.core.windows.net;" in parsed.policy
    assert parsed.policy.startswith("default-src 'none';")
    assert "unsafe" not in parsed.policy
    assert "media-src 'none';" in Parsed(render(quality_samples.short(), {})).policy


def test_no_page_that_is_left_learns_the_address() -> None:
    metas = Parsed(render(quality_samples.short(), {0: LINK})).all("meta")
    assert {"name": "referrer", "content": "no-referrer"} in metas


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/0.wav", "https://a'b.example/0.wav", "https://a.example; script-src */0.wav"]
)
def test_an_address_that_could_change_the_policy_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no http or https URL") as error:
        render(quality_samples.short(), {0: url})
    assert url not in str(error.value)


def test_markup_from_outside_stays_text() -> None:
    html = render(quality_samples.hostile(), {0: LINK})
    parsed = Parsed(html)
    assert parsed.all("img") == []
    assert len(parsed.all("script")) == 2
    assert "<img" not in html
    assert "{{ 7 * 7 }}" in html, "text is no template"


def test_the_page_is_made_by_a_template_that_escapes_and_misses_nothing() -> None:
    page._environment.cache_clear()
    environment = page._environment()
    assert environment.autoescape is True
    assert environment.undefined is jinja2.StrictUndefined
    assert (environment.trim_blocks, environment.lstrip_blocks) == (True, True)
    assert environment.from_string("{{ words }}").render(words="<script>") == "&lt;script&gt;"


def test_a_hash_in_the_policy_is_that_of_the_file() -> None:
    page._hash.cache_clear()
    for name in ("page.css", "page.js"):
        text = (FOLDER / name).read_bytes()
        assert page._hash(name) == f"sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}"


def test_without_links_the_page_says_why_nothing_plays() -> None:
    report = quality_samples.short()
    html = render(report, {})
    assert 'id="player"' not in html
    assert "this page came without a link to the archived audio" in html
    gone = report.recording.chunks[0].model_copy(update={"blob": None})
    lost = report.model_copy(update={"recording": report.recording.model_copy(update={"chunks": (gone,)})})
    assert "no file of this recording is in the archive" in render(lost, {})


def test_a_chunk_without_a_link_is_named_and_left_out() -> None:
    html = render(quality_samples.five_channels(), {0: LINK, 3: LINK})
    assert "There is no link to the audio of chunk 1;" in html
    assert '"pieces": [[0.0, 310.0, 0, 0.0], [395.5, 685.5, 0, 310.0], [1262.0, 1520.0, 3, 0.0]]' in html


def test_the_first_look_has_facts_score_and_flags() -> None:
    said = text_of(render(quality_samples.five_channels(), {}))
    start = said[: said.index("Timeline")]
    for expected in (
        "Inbound call on 23 Nov 2026, 09:14 UTC",
        "Flow reception Participants Customer, Agent, Agent 2, Participant 4, Participant 5 Recorded 25:20",
        "Outcome completed Result refunded",
        "90 of 100 ✕ Failed Compliance : 2 of 2 questions answered; pass at 80; failed by an answer",
        "83.3 of 100 ✓ Passed Service : 3 of 4 questions answered; pass at 75",
        "Flags 3 ! Customer is on hold for 3:10; the limit is 2:00. 8:20",
    ):
        assert expected in start
    assert "There is no transcript: no transcriber is set." in said[: said.index("Transcript")]


def test_figures_are_folded_under_the_ones_that_are_asked_for_first() -> None:
    html = render(quality_samples.five_channels(), {})
    folds = re.findall(r'<details class="fold" id="([a-z]+)"( open)?>', html)
    assert folds == [("figures", ""), ("definitions", ""), ("technical", "")]
    said = text_of(html)
    assert "Figures Silence ratio 15 % · Interruptions 11 · " in said
    assert "Customer 34 % Agent 35 %" in said


def test_three_flags_are_seen_and_more_are_folded() -> None:
    report = quality_samples.five_channels()
    five = report.model_copy(update={"flags": (*report.flags, *report.flags[:2])})
    shown, folded = render(five, {}).split('<details class="more-flags">')
    assert (shown.count("<li data-code="), folded.count("<li data-code=")) == (3, 2)
    assert "<summary>2 more</summary>" in folded
    assert 'more-flags">' not in render(report, {})


def test_the_first_scorecard_is_open_and_the_others_are_a_line() -> None:
    html = render(quality_samples.five_channels(), {})
    assert re.findall(r'<details class="scorecard" id="card-(\d)"( open)?>', html) == [("1", " open"), ("2", "")]
    assert html.index('id="transcript"') < html.index('id="card-1"') < html.index('id="figures"')


def test_the_page_leads_where_it_is_told() -> None:
    html = render(quality_samples.short(), {}, [("Quality", "/api/console/quality?day=2026-11-23"), ("The call", "/c")])
    assert '<a href="/api/console/quality?day=2026-11-23">Quality</a><a href="/c">The call</a>Call quality' in html
    assert '<a href="/' not in render(quality_samples.short(), {})


def test_metrics_stand_side_by_side_and_none_says_why() -> None:
    said = text_of(render(quality_samples.five_channels(), {}))
    assert "Interruptions 5 1:14 4:00 11:56 +2 more 2 21:26 22:07 2 12:35 23:39 2 5:00 18:49 0" in said
    assert "Loudness −21.4 LUFS −23.1 LUFS −24.8 LUFS −26.5 LUFS – silent channel" in said
    assert "Words" not in said, "there is no transcript"


def test_every_metric_that_is_shown_is_defined_and_every_limit_named() -> None:
    report = quality_samples.short()
    said = text_of(render(report, {}))
    shown = {name for channel in report.channels for name in channel.metrics} | set(report.conversation.metrics)
    for name in shown:
        assert report.definitions[name] in said
    for name, value in report.thresholds:
        assert f"{name} {value} " in said


def test_answers_have_their_rationale_points_and_places() -> None:
    said = text_of(render(quality_samples.five_channels(), {}))
    assert (
        "No Was every hold shorter than two minutes? Longest hold is 3:10; at most 2:00 is allowed. 8:20 "
        "✕ This answer alone fails the scorecard. 0 / 10"
    ) in said
    assert "N/A Was the transfer announced? The call was not transferred. not counted" in said


def test_the_transcript_is_in_order_by_speaker_and_says_what_was_not_looked_for() -> None:
    report = quality_samples.short()
    phrases = (
        Phrase(channel=1, start=5.0, end=6.0, text="three"),
        Phrase(channel=0, start=1.0, end=2.0, text="one"),
        Phrase(channel=0, start=3.0, end=4.0, text="two"),
        Phrase(channel=9, start=7.0, end=8.0, text="four"),
    )
    words = Transcript(locale="en-US", phrases=phrases, redactions=Redactions(card=2, email=1))
    said = text_of(render(report.model_copy(update={"transcript": words, "app_lines": ()}), {}))
    assert "Customer 0:01 one 0:03 two Agent 0:05 three Channel 9 0:07 four" in said
    assert "card numbers 2, phone numbers 0, e-mail addresses 1. Names and addresses are not redacted" in said


def test_what_the_app_said_and_what_was_keyed_stands_in_the_transcript() -> None:
    said = text_of(render(quality_samples.short(), {}))
    assert (
        "App 0:00 Thank you for calling Contoso. For orders, press 2. Customer keyed 0:02 2 Agent 0:03 Good morning"
    ) in said
    assert "0:24 It is on my card, [card], and Agent 0:26 One moment, please" in said
    assert "do not read out your card. I will look it up. cut in Customer" in said
    silent = quality_samples.short().model_copy(update={"transcript": None})
    assert (
        "There is no transcript of what people said: here is what the app said and what was keyed. App 0:00 Thank you"
    ) in text_of(render(silent, {}))


def test_technical_facts_stand_at_the_end() -> None:
    said = text_of(render(quality_samples.five_channels(), {}))
    end = said[said.index("Technical facts") :]
    assert "unmixed, 5 × 16,000 Hz, 16 bits" in end
    assert "2 20:10 0 s 0 B not archived not found (404)" in end
    assert "5:10 to 6:35: paused by the app (1:26)" in end


def test_the_files_of_the_page_are_deployed() -> None:
    ignored = pathspec.PathSpec.from_lines("gitignore", (ROOT / ".funcignore").read_text().splitlines())
    files = [path for path in FOLDER.iterdir() if path.suffix in (".html", ".css", ".js")]
    assert len(files) == 4
    assert [path for path in files if ignored.match_file(path.relative_to(ROOT))] == []


def test_the_module_loads_no_template_engine_before_a_page_is_made() -> None:
    code = "import sys, shared.quality.page; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# Colours


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * one for one in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def colours(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{([^}]*)\}", (FOLDER / "page.css").read_text())
    values = [dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]+);", text)) for text in (light, dark)]
    return values[0] if scheme == "light" else values[0] | values[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [
        *((ink, ground, 4.5) for ink in ("ink", "ink-2", "accent", "bad") for ground in ("surface", "ground")),
        ("accent", "accent-soft", 4.5),
        ("good", "good-soft", 4.5),
        ("bad", "bad-soft", 4.5),
        ("some", "some-soft", 4.5),
        ("ink-2", "line-2", 4.5),
        *((f"tone-{tone}", "rail", 3.0) for tone in range(1, 6)),
        *((mark, "surface", 3.0) for mark in ("cut", "quiet", "hold", "app")),
    ],
)
def test_colours_can_be_told_from_their_ground(scheme: str, ink: str, ground: str, least: float) -> None:
    known = colours(scheme)
    assert contrast(known[ink], known[ground]) >= least
