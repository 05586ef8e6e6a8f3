"""The report's page as a browser shows and plays it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.quality.page import render
from shared.quality.report import HoleFacts, Phrase, PieceFacts, Redactions, Report, Topic, Transcript
from tests import quality_samples
from tests.browser import Browser, Page, chromium, executable, serious
from tests.functional.quality.web import Site, serving, wav

PROGRAM = executable()
pytestmark = [
    pytest.mark.long,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium on the path (Debian: apt-get install chromium)"),
]

DESKTOP, PHONE = (1280, 900), (390, 844)
POSITION = "Number(document.getElementById('seek').value)"
AUDIO = "document.getElementById('audio')"
NO_OVERFLOW = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with chromium(PROGRAM, tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.page() as tab:
        tab.resize(*DESKTOP)
        yield tab


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


def opened(page: Page, site: Site, report: Report, *, chunks: dict[int, float] | None = None) -> None:
    """Open a report's page; its audio has so many seconds in each chunk."""
    audio = {}
    for index, seconds in (chunks or {}).items():
        site.files[f"/{index}.wav"] = wav(seconds, len(report.channels))
        audio[index] = site.audio(f"{index}.wav")
    page.open(site.page(render(report, audio)))
    if audio:
        page.until(f"{AUDIO}.readyState > 0")


def in_two_files() -> Report:
    """Eight seconds: a file of three, a pause of two, a file of three."""
    report = quality_samples.short()
    recording = report.recording.model_copy(
        update={
            "seconds": 8.0,
            "pieces": (
                PieceFacts(start=0.0, end=3.0, chunk=0, offset=0.0),
                PieceFacts(start=5.0, end=8.0, chunk=1, offset=0.0),
            ),
            "holes": (HoleFacts(start=3.0, end=5.0, reason="paused"),),
        }
    )
    return report.model_copy(update={"recording": recording})


def slide(page: Page, seconds: float) -> None:
    """Move the player's slider."""
    page.get(f"""(() => {{
      const slider = document.getElementById("seek");
      slider.value = {seconds};
      slider.dispatchEvent(new Event("input"));
    }})()""")


def middle_of(page: Page, selector: str, share: float = 0.5) -> tuple[float, float]:
    """A place inside an element, at a share of its width, scrolled into the window."""
    x, y = page.get(f"""(() => {{
      const element = document.querySelector({selector!r});
      element.scrollIntoView({{ block: "center", behavior: "instant" }});
      const box = element.getBoundingClientRect();
      return [box.left + {share} * box.width, box.top + box.height / 2];
    }})()""")
    return x, y


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_shows_a_lane_for_each_channel_and_fits_the_window(
    page: Page, site: Site, size: tuple[int, int], dark: bool
) -> None:
    report = quality_samples.five_channels()
    page.resize(*size, dark=dark, phone=size == PHONE)
    opened(page, site, report, chunks={0: 20.0, 1: 5.0, 3: 5.0})

    lanes = page.get("""[...document.querySelectorAll("[data-lane]")].map((lane) => [
      lane.querySelector("b").innerText,
      (lane.querySelector("path.speech")?.getAttribute("d").match(/h/g) ?? []).length,
      (lane.querySelector("path.cut")?.getAttribute("d").match(/h/g) ?? []).length,
      lane.querySelectorAll("rect.hold").length,
    ])""")
    assert lanes == [
        ["App", 0, 0, 0],
        *(
            [one.label, len(one.speech), len(one.metrics["interruptions"].spans), 1 if one.channel == 0 else 0]
            for one in report.channels
        ),
    ]
    drawn = "[...document.querySelectorAll('.across rect')].map((one) => one.getAttribute('class'))"
    assert page.get(drawn) == ["paused", "missing"]
    assert page.get("document.querySelectorAll('#axis text').length") >= 3
    assert page.get(NO_OVERFLOW), "the page scrolls sideways"
    small = "[...document.querySelectorAll('button')].filter((one) => one.offsetHeight && one.offsetHeight < 24).length"
    assert page.get(small) == 0
    assert page.complaints == []


def test_the_first_look_has_score_flags_player_and_waveforms_and_the_transcript_begins_in_it(
    page: Page, site: Site
) -> None:
    page.resize(1280, 800)
    opened(page, site, quality_samples.short(), chunks={0: 74.0})
    bottoms = {
        selector: page.get(f"document.querySelector({selector!r}).getBoundingClientRect().bottom")
        for selector in ("h1", ".verdict", "#player", "#timeline", ".turn", ".answers .question")
    }
    assert [*bottoms.values()] == sorted(bottoms.values())
    assert max(bottoms.values()) < 800, bottoms
    assert page.get("document.querySelectorAll('path.wave').length") == 2
    sides = page.get(
        "['#transcript', '#card-1'].map((one) => document.querySelector(one).getBoundingClientRect().left)"
    )
    assert sides[0] < sides[1], "the scorecard stands beside the transcript"


def much() -> Report:
    """An hour's talk in 600 phrases, a card of 30 questions and two more cards, every flag, and many topics."""
    report = quality_samples.five_channels()
    said = tuple(
        Phrase(channel=number % 4, start=number * 2.0, end=number * 2.0 + 1.5, text="What was said then. " * 6)
        for number in range(600)
    )
    card = report.scorecards[0]
    long_card = card.model_copy(update={"answers": card.answers * 15})
    return report.model_copy(
        update={
            "transcript": Transcript(locale="en-US", phrases=said, redactions=Redactions()),
            "scorecards": (long_card, *report.scorecards),
            "flags": report.flags * 5,
            "topics": tuple(Topic(name=f"Topic {number}", seconds=3.0, spans=()) for number in range(30)),
            "notes": report.notes * 6,
        }
    )


@pytest.mark.parametrize("name", ["short", "five_channels", "long", "mixed", "empty", "much"])
def test_a_phone_needs_five_screens_at_most_with_nothing_unfolded(page: Page, site: Site, name: str) -> None:
    page.resize(*PHONE, phone=True)
    report = much() if name == "much" else getattr(quality_samples, name)()
    opened(page, site, report, chunks=dict.fromkeys(range(8), 1.0))
    assert page.get("document.documentElement.scrollHeight") <= 5 * PHONE[1]
    assert page.get(NO_OVERFLOW)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["short", "five_channels", "empty"])
def test_everybody_can_use_the_page(page: Page, site: Site, name: str, size: tuple[int, int], dark: bool) -> None:
    page.resize(*size, dark=dark, phone=size == PHONE)
    opened(page, site, getattr(quality_samples, name)(), chunks=dict.fromkeys(range(4), 1.0))
    page.get("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.get(NO_OVERFLOW)
    assert serious(page) == []


def test_paper_has_the_whole_transcript_and_the_figures_and_nothing_to_press(page: Page, site: Site) -> None:
    opened(page, site, much(), chunks=dict.fromkeys(range(4), 1.0))
    page.send("Emulation.setEmulatedMedia", media="print")
    page.get("window.dispatchEvent(new Event('beforeprint'))")
    shown = "(selector) => document.querySelector(selector).checkVisibility()"
    seen = {one: page.get(f"({shown})({one!r})") for one in ("#phrases", "#card-1 .answers", "#card-2 .answers")}
    seen |= {one: page.get(f"({shown})({one!r})") for one in ("#figures table", ".more-flags .flags")}
    assert all(seen.values()), seen
    hidden = ("#player", ".zoom", "#print", "#definitions", "#technical")
    assert [one for one in hidden if page.get(f"({shown})({one!r})")] == []
    for box in ("#phrases", "#card-1 .answers"):
        cut = f"document.querySelector({box!r}).scrollHeight - document.querySelector({box!r}).clientHeight"
        assert page.get(cut) <= 1, "nothing is left to scroll"
    page.get("window.dispatchEvent(new Event('afterprint'))")
    assert not page.get("document.getElementById('figures').open")


def test_a_link_to_a_card_that_is_folded_opens_it(page: Page, site: Site) -> None:
    opened(page, site, quality_samples.five_channels())
    assert not page.get("document.getElementById('card-2').open")
    page.click(*middle_of(page, ".scores a[href='#card-2']"))
    page.until("document.getElementById('card-2').open")


def test_the_transcript_follows_what_plays(page: Page, site: Site) -> None:
    opened(page, site, much(), chunks={0: 310.0})
    page.get("document.querySelector('.turn:nth-child(60) .at').click()")
    page.until(f"!{AUDIO}.paused && document.querySelector('.turn:nth-child(60) .current') !== null")
    box = "document.getElementById('phrases').getBoundingClientRect()"
    line = "document.querySelector('.turn .current').getBoundingClientRect()"
    page.until(f"{line}.top >= {box}.top - 1 && {line}.bottom <= {box}.bottom + 1")


def test_speech_is_drawn_where_it_was(page: Page, site: Site) -> None:
    report = quality_samples.short()
    opened(page, site, report, chunks={0: 74.0})
    left, width = page.get("""(() => {
      const path = document.querySelector("[data-lane='1'] path.speech").getBoundingClientRect();
      const track = document.getElementById("track").getBoundingClientRect();
      return [(path.left - track.left) / track.width, path.width / track.width];
    })()""")
    speech = report.channels[1].speech
    assert left * 74 == pytest.approx(speech[0].start, abs=0.1)
    assert width * 74 == pytest.approx(speech[-1].end - speech[0].start, abs=0.1)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_click_on_a_lane_moves_the_audio_there(page: Page, site: Site, size: tuple[int, int]) -> None:
    page.resize(*size, phone=size == PHONE)
    opened(page, site, quality_samples.short(), chunks={0: 74.0})
    page.click(*middle_of(page, "[data-lane='0'] .bar"))
    page.until(f"!{AUDIO}.seeking && Math.abs({AUDIO}.currentTime - 37) < 1")
    assert page.get(f"{AUDIO}.paused"), "a look at the timeline starts nothing"
    assert page.get("document.getElementById('now').textContent") in ("0:36", "0:37")
    assert page.get("parseFloat(document.getElementById('head').getAttribute('x1'))") == pytest.approx(50, abs=1)


@pytest.mark.parametrize(
    ("selector", "seconds"),
    [
        (".flags .at", 33.0),
        (".answers .at", 3.1),
        (".turn:nth-child(4) .at", 8.2),
        ("[data-metric=dead_air] .at", 33.0),
    ],
    ids=["flag", "answer", "phrase", "metric"],
)
def test_a_click_on_a_time_plays_from_there(page: Page, site: Site, selector: str, seconds: float) -> None:
    opened(page, site, quality_samples.short(), chunks={0: 74.0})
    page.get("document.getElementById('figures').open = true")
    # Where it jumps to, not where it is by the time that somebody looks: a slow machine looks late.
    page.get(f"{AUDIO}.addEventListener('seeking', () => {{ window.sought ??= {AUDIO}.currentTime }}) || 0")
    page.click(*middle_of(page, selector))
    page.until(f"!{AUDIO}.paused && window.sought !== undefined")
    assert page.get("window.sought") == pytest.approx(seconds, abs=1.0)


def test_play_goes_on_and_pause_stops(page: Page, site: Site) -> None:
    opened(page, site, quality_samples.five_channels(), chunks={0: 20.0})
    play = middle_of(page, "#play")
    page.click(*play)
    page.until(f"{AUDIO}.currentTime > 0.3 && {POSITION} > 0.2")
    assert page.get("document.getElementById('play').getAttribute('aria-label')") == "Pause"
    page.click(*play)
    page.until(f"{AUDIO}.paused")
    page.click(*middle_of(page, "#forward"))
    page.until(f"{AUDIO}.currentTime > 10 && {AUDIO}.currentTime < 12")
    assert page.complaints == []


def test_two_files_play_as_one_recording_over_the_pause_between(page: Page, site: Site) -> None:
    opened(page, site, in_two_files(), chunks={0: 3.0, 1: 3.0})
    slide(page, 2.6)
    page.click(*middle_of(page, "#play"))
    page.until(f"{AUDIO}.src.includes('/1.wav') && {POSITION} > 5.1 && {AUDIO}.currentTime < 1.5 && !{AUDIO}.paused")
    slide(page, 1.0)
    page.until(f"{AUDIO}.src.includes('/0.wav') && {AUDIO}.currentTime > 1 && !{AUDIO}.paused")
    assert page.complaints == []


def test_a_place_that_no_file_holds_leads_to_the_next_that_one_does(page: Page, site: Site) -> None:
    opened(page, site, in_two_files(), chunks={0: 3.0, 1: 3.0})
    page.click(*middle_of(page, "[data-lane='0'] .bar", 0.55))
    page.until(f"{AUDIO}.src.includes('/1.wav') && {POSITION} === 5")
    assert page.get("document.getElementById('say').innerText") == "No audio at 0:04 (paused): it goes on at 0:05."


def test_a_place_behind_the_last_file_says_that_there_is_nothing(page: Page, site: Site) -> None:
    opened(page, site, in_two_files(), chunks={0: 3.0})
    slide(page, 6.0)
    page.until("document.getElementById('say').innerText === 'No audio at 0:06, nor after it.'")
    slide(page, 1.0)
    page.until(f"{AUDIO}.currentTime === 1 && {POSITION} === 1")


def test_an_expired_link_says_what_to_do(page: Page, site: Site) -> None:
    report = quality_samples.short()
    page.open(site.page(render(report, {0: site.audio("gone.wav")})))
    page.until("document.getElementById('say').innerText.includes('expired')")
    assert "reload the page" in page.get("document.getElementById('say').innerText")


def test_a_link_that_expires_under_way_says_so_too(page: Page, site: Site) -> None:
    opened(page, site, in_two_files(), chunks={0: 3.0, 1: 3.0})
    del site.files["/1.wav"]
    slide(page, 2.6)
    page.click(*middle_of(page, "#play"))
    page.until("document.getElementById('say').innerText.includes('expired')")


def test_without_audio_times_still_lead_through_the_timeline(page: Page, site: Site) -> None:
    opened(page, site, quality_samples.short())
    page.click(*middle_of(page, ".flags .at"))
    page.until("Math.abs(parseFloat(document.getElementById('head').getAttribute('x1')) - 100 * 33 / 74) < 0.1")
    assert page.get("document.getElementById('player')") is None
    assert page.complaints == []


def test_the_page_asks_for_the_audio_alone_and_does_not_say_where_it_was_linked(page: Page, site: Site) -> None:
    opened(page, site, quality_samples.short(), chunks={0: 74.0})
    assert {path for path, _ in site.asked} == {"/report", "/0.wav"}
    assert {referer for _, referer in site.asked} == {""}


def test_the_policy_refuses_every_other_address(page: Page, site: Site) -> None:
    opened(page, site, quality_samples.short(), chunks={0: 74.0})
    refused = page.get("""new Promise((done) => {
      document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
      new Image().src = "http://127.0.0.1:1/leak";
    })""")
    assert refused == "img-src"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_markup_in_the_report_is_shown_as_text(page: Page, site: Site, size: tuple[int, int]) -> None:
    page.resize(*size, phone=size == PHONE)
    opened(page, site, quality_samples.hostile(), chunks={0: 74.0})
    assert page.get("document.title").startswith("Call quality")
    assert page.get("document.querySelectorAll('img').length") == 0
    said = page.get("document.querySelector('.turn div p').textContent")
    assert quality_samples.HOSTILE in said
    assert page.get(NO_OVERFLOW), "the page scrolls sideways"
    assert page.complaints == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_eight_hours_can_be_zoomed_into(page: Page, site: Site, size: tuple[int, int]) -> None:
    page.resize(*size, phone=size == PHONE)
    opened(page, site, quality_samples.long(), chunks=dict.fromkeys(range(8), 1.0))
    ticks = "[...document.querySelectorAll('#axis text')].map((one) => one.textContent)"
    assert "1:00:00" in page.get(ticks) or "2:00:00" in page.get(ticks)
    slide(page, 14_400)
    for _ in range(6):
        page.click(*middle_of(page, "#zoom-in"))
    page.until("document.getElementById('zoom-level').textContent === '64×'")
    scroller = "document.getElementById('scroller')"
    assert page.get(f"{scroller}.scrollWidth / {scroller}.clientWidth") == pytest.approx(64, abs=0.1)
    middle = page.get(f"({scroller}.scrollLeft + {scroller}.clientWidth / 2) / {scroller}.scrollWidth")
    assert middle == pytest.approx(0.5, abs=0.01)
    assert "4:01:00" in page.get(ticks) or "4:02:00" in page.get(ticks)
    assert page.get(NO_OVERFLOW), "the page scrolls sideways"
    page.click(*middle_of(page, "#zoom-all"))
    page.until(f"{scroller}.scrollWidth === {scroller}.clientWidth")


def test_a_metric_tells_its_definition_to_mouse_and_keyboard(page: Page, site: Site) -> None:
    report = quality_samples.short()
    opened(page, site, report)
    page.get("document.getElementById('figures').open = true")
    page.get("document.querySelector('[data-metric=backchannels] .term').focus()")
    page.until("!document.getElementById('tip').hidden")
    assert page.get("document.getElementById('tip').innerText") == report.definitions["backchannels"]
    for kind in ("keyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key="Escape")
    page.until("document.getElementById('tip').hidden")
