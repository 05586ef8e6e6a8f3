"use strict";
// The player, the timeline and the definitions. The page reads well without any of it.

const data = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
};

// The timeline: a playhead, a zoom, ticks.

const scroller = find("scroller");
const track = find("track");
const axis = find("axis");
const audio = find("audio"); // null, as the slider: there is nothing to play
const slider = find("seek");
const length = Number(track.dataset.seconds);
const CLOSEST = 30; // seconds across the box
const FARTHEST = 64;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const TICK = 76; // pixels that a label needs
let zoom = 1;
let position = 0; // seconds of the recording

function drawTicks() {
  const width = track.clientWidth;
  const step = STEPS.find((one) => (one / length) * width >= TICK) ?? STEPS.at(-1);
  const shape = (name, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };
  const drawn = [];
  for (let at = 0; at <= length; at += step) {
    const x = `${(100 * at) / length}%`;
    drawn.push(shape("line", { x1: x, x2: x, y1: 16, y2: 26 }));
    // The last label would stick out of the box.
    if (((length - at) / length) * width > TICK / 2) drawn.push(shape("text", { x, dx: at ? 0 : 2, y: 13, "text-anchor": at ? "middle" : "start" }, clock(at)));
  }
  axis.replaceChildren(...drawn);
}

function zoomTo(wanted) {
  const most = clamp(2 ** Math.floor(Math.log2(length / CLOSEST)), 1, FARTHEST);
  const share = position / length;
  zoom = clamp(wanted, 1, most);
  track.style.width = `${100 * zoom}%`;
  scroller.scrollLeft = share * track.clientWidth - scroller.clientWidth / 2;
  find("zoom-level").textContent = `${zoom}×`;
  find("zoom-in").disabled = zoom === most;
  find("zoom-out").disabled = find("zoom-all").disabled = zoom === 1;
  document.querySelector(".zoom").hidden = most === 1;
  drawTicks();
}

function show(seconds) {
  position = clamp(seconds, 0, length);
  const share = `${(100 * position) / length}%`;
  find("head").setAttribute("x1", share);
  find("head").setAttribute("x2", share);
  if (slider) {
    slider.value = position;
    slider.setAttribute("aria-valuetext", `${clock(position)} of ${clock(length)}`);
    find("now").textContent = clock(position);
  }
  markPhrase();
}

function bringIntoView() {
  const x = (position / length) * track.clientWidth;
  if (x < scroller.scrollLeft || x > scroller.scrollLeft + scroller.clientWidth) {
    scroller.scrollLeft = x - scroller.clientWidth / 4;
  }
}

find("zoom-in").onclick = () => zoomTo(zoom * 2);
find("zoom-out").onclick = () => zoomTo(zoom / 2);
find("zoom-all").onclick = () => zoomTo(1);
new ResizeObserver(drawTicks).observe(scroller);

// The transcript follows.

const phrases = [...document.querySelectorAll(".phrases .at")];
const starts = phrases.map((button) => Number(button.dataset.at));
let current = null;

function markPhrase() {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= position) low = middle + 1;
    else high = middle;
  }
  const said = low ? phrases[low - 1].parentElement : null;
  if (said === current) return;
  current?.classList.remove("current");
  said?.classList.add("current");
  current = said;
  // Only while it plays: whoever reads elsewhere is not to be pulled away.
  if (said && audio && !audio.paused) follow(said);
}

function follow(said) {
  const box = find("phrases");
  const place = said.getBoundingClientRect();
  const frame = box.getBoundingClientRect();
  if (place.top < frame.top || place.bottom > frame.bottom) box.scrollTop += place.top - frame.top - 40;
}

// The player: several files as one recording. `pieces` are [start, end, chunk, offset], in order.

function makePlayer() {
  const { pieces, sources, holes } = data;
  let here = pieces[0]; // null: at a place behind the last piece
  let chunk = here[2]; // the file that is open
  let wanted = null; // where to go on as soon as the file is open
  let broken = false;

  const say = (text, wrong = false) => {
    find("say").textContent = text;
    find("say").classList.toggle("wrong", wrong);
  };

  // What goes wrong with it comes as an "error" event.
  const play = () => audio.play().catch(() => {});

  const moveTo = (piece, offset, playing) => {
    const open = piece[2] !== chunk || broken;
    here = piece;
    chunk = piece[2];
    broken = false;
    wanted = null;
    if (open) audio.src = sources[chunk];
    if (audio.readyState > 0) audio.currentTime = offset;
    else wanted = offset;
    if (playing) play();
  };

  const seekTo = (seconds, playing = !audio.paused) => {
    const aim = clamp(seconds, 0, length);
    const hole = holes.find(([start, end]) => aim >= start && aim < end);
    const nothing = `No audio at ${clock(aim)}${hole ? ` (${hole[2]})` : ""}`;
    const last = pieces.at(-1);
    const piece = pieces.find((one) => aim < one[1]) ?? (aim < last[1] + 1 ? last : null);
    if (!piece) {
      here = null;
      audio.pause();
      show(aim);
      say(`${nothing}, nor after it.`);
      return;
    }
    const at = clamp(aim, piece[0], Math.max(piece[0], piece[1] - 0.05));
    say(aim < piece[0] ? `${nothing}: it goes on at ${clock(at)}.` : "");
    show(at);
    moveTo(piece, at - piece[0] + piece[3], playing);
  };

  const goOn = () => {
    const next = pieces[pieces.indexOf(here) + 1];
    if (next) moveTo(next, next[3], true);
  };

  audio.addEventListener("loadedmetadata", () => {
    if (wanted !== null) audio.currentTime = wanted;
    wanted = null;
  });
  audio.addEventListener("timeupdate", () => {
    if (!here || wanted !== null || audio.readyState === 0) return;
    const at = audio.currentTime;
    const inside = (piece) => piece[2] === chunk && at >= piece[3] - 0.01 && at < piece[3] + piece[1] - piece[0];
    const piece = pieces.find(inside);
    if (piece) {
      here = piece;
      show(piece[0] + at - piece[3]);
      if (!audio.paused) bringIntoView();
    } else if (!audio.paused && !audio.ended) goOn();
  });
  audio.addEventListener("ended", () => here && goOn());
  for (const event of ["play", "pause", "ended"]) {
    audio.addEventListener(event, () => {
      find("player").classList.toggle("playing", !audio.paused);
      find("play").setAttribute("aria-label", audio.paused ? "Play" : "Pause");
    });
  }
  const fail = () => {
    broken = true;
    audio.pause();
    say("The audio is not available. The link has expired, or the archive cannot be reached: reload the page.", true);
  };
  audio.addEventListener("error", fail);
  if (audio.error) fail(); // before this script ran

  find("play").onclick = () => (audio.paused ? seekTo(position >= length - 0.1 ? 0 : position, true) : audio.pause());
  find("back").onclick = () => seekTo(position - 10);
  find("forward").onclick = () => seekTo(position + 10);
  find("speed").onchange = () => (audio.playbackRate = audio.defaultPlaybackRate = Number(find("speed").value));
  slider.oninput = () => seekTo(Number(slider.value));
  audio.removeAttribute("controls");
  document.querySelector(".controls").hidden = false;
  return seekTo;
}

const seekTo = audio ? makePlayer() : show;

// Whatever has a time leads there: a time plays, the timeline moves the playhead.

document.addEventListener("click", (event) => {
  const button = event.target.closest(".at");
  if (button) {
    seekTo(Number(button.dataset.at), true);
    bringIntoView();
  }
});
track.addEventListener("click", (event) => {
  const box = track.getBoundingClientRect();
  seekTo(((event.clientX - box.left) / box.width) * length);
});

// Definitions, where the metric stands.

const tip = find("tip");
let explained = null;

function explain(term) {
  explained = term;
  tip.hidden = !term;
  if (!term) return;
  tip.textContent = find(term.getAttribute("aria-describedby")).textContent;
  const box = term.getBoundingClientRect();
  const most = document.documentElement.clientWidth - tip.offsetWidth - 12;
  tip.style.left = `${window.scrollX + clamp(box.left, 12, Math.max(12, most))}px`;
  const above = box.bottom + tip.offsetHeight + 12 > window.innerHeight;
  tip.style.top = `${window.scrollY + (above ? box.top - tip.offsetHeight - 4 : box.bottom + 4)}px`;
}

for (const term of document.querySelectorAll(".term")) {
  term.addEventListener("mouseenter", () => explain(term));
  term.addEventListener("mouseleave", (event) => event.relatedTarget !== tip && explain(null));
  term.addEventListener("focus", () => explain(term));
  term.addEventListener("blur", () => explain(null));
  term.addEventListener("click", (event) => {
    event.preventDefault();
    explain(term);
  });
}
tip.addEventListener("mouseleave", () => explain(null));
document.addEventListener("keydown", (event) => event.key === "Escape" && explained && explain(null));

// What is folded: a link into it opens it, and paper shows what was said of the figures.

const printing = find("print");
const shut = (selector) => [...document.querySelectorAll(selector)].filter((one) => !one.open);
let opened = [];
printing.hidden = false;
printing.onclick = () => window.print();
window.addEventListener("beforeprint", () => {
  opened = shut("#figures, .scorecard, .more-flags");
  for (const one of opened) one.open = true;
});
window.addEventListener("afterprint", () => {
  for (const one of opened) one.open = false;
});
document.addEventListener("click", (event) => {
  const target = event.target.closest("a[href^='#card-']");
  if (target) document.querySelector(target.getAttribute("href")).open = true;
});

zoomTo(1);
show(0);
