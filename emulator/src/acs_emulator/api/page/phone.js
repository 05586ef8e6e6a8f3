// The phone: one tab is one person. It shows what the emulator tells over its socket, and asks for what is clicked.

import { Conversation, element } from "/phone/conversation.js";
import { Sound } from "/phone/sound.js";
import { clock, pretty } from "/phone/words.js";

const LETTERS = { 2: "ABC", 3: "DEF", 4: "GHI", 5: "JKL", 6: "MNO", 7: "PQRS", 8: "TUV", 9: "WXYZ", 0: "+" };
const MICROPHONE = {
  on: "microphone on",
  off: "",
  denied: "The microphone is denied: type your words, or allow it in the address bar",
  missing: "No microphone was found: type your words",
  insecure: "No microphone, as this address is not secure: type your words, or use http://localhost or https",
};
const MOST_BUFFERED = 64 * 1024;
const RECONNECT_MS = 1000;

const get = (id) => document.getElementById(id);
const log = new Conversation(get("log"), get("nothing"));
const sound = new Sound(heard, shownMicrophone);
const given = new URLSearchParams(location.search);

let socket = null;
let phone = null; // what the emulator last told
let origin = 0; // performance.now() at which the emulator's clock was 0
let wasInCall = false;
let title = document.title;

// -- the socket --------------------------------------------------------------------------------------

function connect() {
  const me = JSON.parse(sessionStorage.getItem("me") ?? "null") ?? { as: given.get("as") ?? "", role: given.get("role") ?? "number" };
  const query = new URLSearchParams({ as: me.role === "withheld" ? "" : me.as, role: me.role });
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/emulator/phone?${query}`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => tell("problem", "");
  socket.onmessage = ({ data }) => (typeof data === "string" ? take(JSON.parse(data)) : sound.play(data));
  socket.onclose = lost;
}

function lost() {
  tell("problem", wasInCall ? "The emulator is gone; your call ended. Trying to reach it again …" : "The emulator is gone. Trying to reach it again …");
  wasInCall = false;
  log.origin = 0;
  document.body.dataset.state = "idle";
  quiet();
  setTimeout(connect, RECONNECT_MS);
}

function ask(what, more = {}) {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ do: what, ...more }));
}

function take(message) {
  if (message.tell === "phone") show(message);
  else if (message.tell === "news") log.add(message.news);
  else if (message.tell === "cleared") log.clear();
  else if (message.tell === "refused") tell("problem", message.reason);
}

/** Show a sentence in a notice, or hide it when there is none. */
function tell(id, sentence) {
  get(id).textContent = sentence;
  get(id).hidden = !sentence;
}

// -- what is shown -----------------------------------------------------------------------------------

function show(told) {
  const before = phone?.state ?? "idle";
  phone = told;
  if (!log.origin) {
    origin = performance.now() - told.now;
    log.origin = Date.now() - told.now;
  }
  log.you = told.you.number;
  log.unattended = new Set(told.wanted);
  sessionStorage.setItem("me", JSON.stringify({ as: told.you.number, role: told.you.role }));
  document.body.dataset.state = told.state;
  wasInCall = told.state !== "idle";
  showYou(told);
  showLines(told);
  showCall(told);
  showLab(told);
  changed(before, told.state);
}

/** What begins and ends with a state. */
function changed(before, state) {
  sound.ring(state === "ringing" ? "in" : state === "dialling" ? "out" : null);
  document.title = state === "ringing" ? `☎ ${pretty(phone.caller)} is calling` : `${pretty(phone.you.number)} · ${title}`;
  if (state === before) return;
  if (state === "ringing") get("answer").focus();
  if (state === "idle") {
    quiet();
    if (document.activeElement === document.body) get("number").focus({ preventScroll: true });
  }
  if (state === "connected") get("words").focus({ preventScroll: true });
  if (state !== "idle") tell("problem", "");
}

function quiet() {
  sound.ring(null);
  sound.silence();
  sound.stopListening();
  get("level").value = 0;
}

function hint(told) {
  if (told.state === "ringing" && !sound.unlocked) return "Click once so that this tab may ring.";
  if (told.state === "idle" && told.ended) return told.ended;
  if (told.state === "idle" && !told.listening) return "No app takes calls yet. Start the emulator with --event-grid and the address of your app's IncomingCall webhook.";
  if (told.speed !== 1 && told.state !== "idle") return `Speed ${told.speed}×: calls run faster than people talk, so there is no sound and no microphone. Keys and typed words work.`;
  if (told.onHold) return "You are on hold: you hear what the app plays meanwhile, not the others, and they do not hear you.";
  if (told.muted) return "The app has muted you: nobody hears you.";
  if (told.state === "idle" && !sound.unlocked) return "Click once so that this tab may ring.";
  return "";
}

function showYou(told) {
  const { number, role } = told.you;
  const label = role === "withheld" ? "somebody who withholds their number" : `${pretty(number)}${role === "mailbox" ? ", a mailbox" : ""}`;
  const options = [["", label]];
  if (role !== "number") options.push(["number", "a person with a number"]);
  if (role !== "withheld") options.push(["withheld", "somebody who withholds their number"]);
  if (role !== "mailbox") options.push(["mailbox", "a mailbox: answers by itself after 12 s"]);
  for (const wanted of told.wanted) options.push([wanted, `${pretty(wanted)}, which was rung`]);
  options.push(["other", "another number …"]);
  fill(get("role"), JSON.stringify(options), () => options.map(([value, text]) => element("option", { value }, text)));
  get("role").disabled = told.state !== "idle";
  tell("hint", hint(told));
  get("promise").textContent = told.recogniser
    ? "Your microphone goes to this machine and into recordings; nothing leaves it. Words count if typed, or if they are among the phrases that the app asks for (American English). Use a headset. This phone is for tests on this machine, not for an agent's work."
    : "Your microphone goes to this machine and into recordings; nothing leaves it. Words count only if typed. Use a headset. This phone is for tests on this machine, not for an agent's work.";
}

/** Replace the children of an element, only when they differ: what has the focus keeps it. */
function fill(parent, key, make) {
  if (parent.dataset.key === key) return;
  parent.dataset.key = key;
  parent.replaceChildren(...make());
}

function showLines(told) {
  get("lines-title").textContent = told.linesKnown ? "Lines of your app, one click each" : "Any number that nobody has rings your app, for example";
  fill(get("lines"), JSON.stringify(told.lines), () =>
    told.lines.map((line) => {
      const name = line.name ? element("b", {}, `${line.name} `) : "";
      const button = element("button", { type: "button", "data-line": line.number }, element("span", { class: "number" }, name, pretty(line.number)), element("span", { "aria-hidden": "true" }, "Call"));
      button.addEventListener("click", () => dial(line.number));
      return element("li", {}, button);
    }),
  );
  if (!get("number").value && told.lines.length) get("number").placeholder = pretty(told.lines[0].number);
}

function showCall(told) {
  get("ringing-who").textContent = told.caller ? pretty(told.caller) : "";
  get("ringing-name").textContent = told.callerName;
  get("status").textContent = told.state === "dialling" ? `Calling ${pretty(told.callee)} …` : told.onHold ? "On hold" : "In call";
  fill(get("with"), JSON.stringify(told.with), () =>
    told.with.map((one) => {
      const marks = [one.muted ? "muted" : "", one.onHold ? "on hold" : ""].filter(Boolean).join(", ");
      const name = one.you ? "you" : one.app ? "your app" : pretty(one.name);
      return element("li", { class: one.app ? "app" : "" }, name, marks ? element("em", {}, ` (${marks})`) : "");
    }),
  );
  showQuestion(told.question);
}

function showQuestion(question) {
  get("question").hidden = !question;
  if (!question) return;
  const asks = { dtmf: "The app waits for keys", speech: "The app listens to what you say", speechOrDtmf: "The app waits for words or keys", choices: "The app asks for one of these" };
  get("question-title").textContent = asks[question.inputType] ?? "The app waits for you";
  fill(get("options"), JSON.stringify(question), () =>
    question.options.map((option) => {
      const phrase = option.phrases[0] ?? option.label;
      const button = element("button", { type: "button" }, option.key ? element("kbd", {}, option.key) : "", option.key ? ` ${phrase}` : `say “${phrase}”`);
      button.addEventListener("click", () => (option.key ? press(option.key) : ask("say", { text: phrase })));
      return button;
    }),
  );
}

function showLab(told) {
  const { switches, others } = told.faults;
  fill(get("switches"), JSON.stringify(switches), () =>
    switches.map((one) => {
      const box = element("input", { type: "checkbox", "data-fault": one.name, ...(one.on ? { checked: "" } : {}) });
      box.addEventListener("change", () => ask("fault", { name: one.name, on: box.checked }));
      return element("label", {}, box, one.label);
    }),
  );
  const on = switches.filter((one) => one.on).length + others;
  get("faults-on").textContent = on ? `${on} on` : "";
  get("others").textContent = others ? `${others} set by the control API` : "";
  const speed = get("speed");
  if (![...speed.options].some((option) => Number(option.value) === told.speed)) speed.append(element("option", { value: told.speed }, `${told.speed}×`));
  speed.value = String(told.speed);
  get("speed-says").textContent = told.speed === 1 ? "" : "no sound at this speed";
}

function shownMicrophone(state) {
  get("mic-state").textContent = sound.muted ? "muted: nobody hears you" : MICROPHONE[state];
  get("mute").disabled = state !== "on";
  get("mute").setAttribute("aria-pressed", String(sound.muted));
  get("level").hidden = state !== "on";
}

// -- what a person does ------------------------------------------------------------------------------

/** Numbers as people write them: "+1 (425) 555-0142". */
const plain = (text) => text.replace(/[\s().\-/]/g, "");

async function dial(number) {
  tell("problem", "");
  ask("dial", { to: plain(number) });
  await ready();
}

/** Sound and microphone, at a click: browsers allow both only then. */
async function ready() {
  await sound.unlock();
  if (phone.speed === 1) await sound.listen();
  else shownMicrophone("off");
}

function press(key) {
  sound.key(key);
  ask("press", { keys: key });
}

function heard(frame, level) {
  get("level").value = level;
  if (phone?.state === "connected" && socket.readyState === WebSocket.OPEN && socket.bufferedAmount < MOST_BUFFERED) socket.send(frame);
}

get("dial").addEventListener("submit", (event) => {
  event.preventDefault();
  dial(get("number").value || get("number").placeholder);
});
get("answer").addEventListener("click", () => {
  ask("answer");
  ready();
});
get("decline").addEventListener("click", () => ask("decline"));
get("hangup").addEventListener("click", () => ask("hangUp"));
get("say").addEventListener("submit", (event) => {
  event.preventDefault();
  ask("say", { text: get("words").value });
  get("words").value = "";
});
get("mute").addEventListener("click", () => {
  sound.muted = !sound.muted;
  get("level").value = 0;
  if (sound.muted) ask("microphoneOff");
  shownMicrophone(sound.state);
});
get("role").addEventListener("change", ({ target }) => {
  const wanted = target.value;
  target.value = "";
  tell("problem", "");
  get("be").hidden = wanted !== "other";
  if (wanted === "other") get("be-number").focus();
  else if (wanted === "withheld") ask("be", { role: "withheld" });
  else if (wanted === "mailbox") ask("be", { role: "mailbox", as: phone.you.role === "withheld" ? "" : phone.you.number });
  else if (wanted === "number") ask("be", { role: "number", as: phone.you.role === "withheld" ? "" : phone.you.number });
  else if (wanted) ask("be", { role: "number", as: wanted });
});
get("be").addEventListener("submit", (event) => {
  event.preventDefault();
  ask("be", { role: "number", as: plain(get("be-number").value) });
  get("be").hidden = true;
});
get("speed").addEventListener("change", ({ target }) => ask("speed", { speed: Number(target.value) }));
get("clear").addEventListener("click", () => log.clear());
get("show-deliveries").addEventListener("change", ({ target }) => get("log").classList.toggle("no-deliveries", !target.checked));
for (const button of document.querySelectorAll("nav button")) {
  button.addEventListener("click", () => {
    document.body.dataset.view = button.dataset.show;
    if (button.dataset.show === "lab") get("faults").open = true;
    for (const one of document.querySelectorAll("nav button")) one.setAttribute("aria-pressed", String(one === button));
  });
}
for (const key of "123456789*0#") {
  const button = element("button", { type: "button", "data-key": key, "aria-label": `Key ${key}` }, key, element("small", { "aria-hidden": "true" }, LETTERS[key] ?? ""));
  button.addEventListener("click", () => press(key));
  get("keys").append(button);
}
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
  if (phone?.state === "connected" && /^[0-9*#]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey && (!typing || event.target.value === "" && event.target.id === "words")) {
    if (!(typing && /[a-z]/i.test(event.target.value))) {
      event.preventDefault();
      press(event.key);
    }
  }
});
for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => sound.unlock().then(() => phone && tell("hint", hint(phone))), { once: true });
}
setInterval(() => {
  const since = phone?.state === "connected" ? phone.connectedAt : null;
  get("elapsed").textContent = since === null ? "" : clock((performance.now() - origin - since) / 1000);
}, 500);

shownMicrophone("off");
connect();
