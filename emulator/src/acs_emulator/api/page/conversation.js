// What happens, row by row: who said, asked, played, pressed what, and what the app was sent.

import { pretty, spoken, trouble } from "/phone/words.js";

const MOST_ROWS = 600;

/** An element with text or other elements in it: never markup, whatever the text holds. */
export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...content.filter((one) => one !== ""));
  return made;
}

export class Conversation {
  constructor(list, empty) {
    this.list = list;
    this.empty = empty;
    this.rows = new Map();
    this.you = "";
    this.unattended = new Set();
    this.origin = 0; // the time of day, in milliseconds, at which the emulator's clock was 0
  }

  clear() {
    this.list.replaceChildren();
    this.rows.clear();
    this.empty.hidden = false;
  }

  add(news) {
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 60;
    for (const one of news) this.put(one);
    while (this.list.childElementCount > MOST_ROWS) this.list.firstElementChild.remove();
    this.empty.hidden = this.empty.hidden || news.some((one) => one.entry);
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  put(one) {
    const key = one.delivery ? `delivery ${one.delivery}` : one.refusal ? `refusal ${one.refusal}` : `entry ${one.entry}`;
    const row = one.delivery ? this.delivery(one) : one.refusal ? this.refusal(one) : this.entry(one);
    row.dataset.at = one.at_ms;
    const old = this.rows.get(key);
    this.rows.set(key, row);
    if (old?.isConnected) {
      old.replaceWith(row);
      return;
    }
    let before = this.list.lastElementChild;
    while (before && Number(before.dataset.at) > one.at_ms) before = before.previousElementSibling;
    if (before) before.after(row);
    else this.list.prepend(row);
  }

  row(at, kind, who, what, status = "") {
    const moment = new Date(this.origin + at);
    const time = element("time", { datetime: moment.toISOString() }, moment.toLocaleTimeString([], { hour12: false }));
    return element("li", { class: kind }, time, who, element("span", { class: "what" }, ...what), element("span", { class: "status-code" }, status));
  }

  who(entry) {
    const known = {
      you: ["you-did", "you"],
      app: ["app-did", "your app"],
      service: ["line-did", "the line"],
      phone: ["other-did", entry.party ? pretty(entry.party) : "a phone"],
    };
    const [style, label] = known[entry.party && entry.party === this.you ? "you" : entry.who] ?? ["line-did", entry.who];
    return element("span", { class: `who-did ${style}` }, label);
  }

  entry(entry) {
    return this.row(entry.at_ms, entry.what === "calls" ? "begins" : "", this.who(entry), this.told(entry));
  }

  told(entry) {
    const { what, text } = entry;
    if (what === "calls" || what === "joins") return [`${what} `, pretty(text.split(` ${what} `).pop())];
    if (["plays", "asks", "says"].includes(what)) return text ? [`${what} `, element("q", {}, spoken(text))] : [what];
    if (what === "presses" || what === "hears key") return [`${what} `, element("kbd", {}, text)];
    if (what === "rings") {
      const link = element("a", { href: `/?as=${encodeURIComponent(text)}`, target: "_blank", rel: "noopener" }, "open this phone ↗");
      return [`${pretty(text)} rings `, ...(this.unattended.has(text) ? [link] : [])];
    }
    if (what === "answers" && entry.who === "phone") return ["answers"];
    return [text ? `${what} ${text.split(" ").map(pretty).join(" ")}` : what];
  }

  delivery(one) {
    const who = element("span", { class: "who-did line-did" }, one.kind === "callback" ? "callback" : "Event Grid");
    const speed = `${one.status ?? "–"} · ${Math.round(one.ms)} ms`;
    if (one.kind === "validation") {
      const told = one.delivered ? "Your app has taken its Event Grid subscription" : "Your app has not taken its Event Grid subscription yet";
      return this.row(one.at_ms, one.delivered ? "delivery" : "delivery failed", who, [one.delivered ? told : `${told}. ${trouble(one)}`], one.delivered ? "200" : "");
    }
    if (!one.delivered) return this.row(one.at_ms, "delivery failed", who, [trouble(one)], one.error || one.fault ? "" : speed);
    const again = one.attempts > 1 ? ` (attempt ${one.attempts})` : one.duplicate ? " (a second time)" : "";
    return this.row(one.at_ms, "delivery", who, [one.type + again, one.summary ? ` · ${one.summary}` : ""], speed);
  }

  refusal(one) {
    const who = element("span", { class: "who-did app-did" }, "your app");
    return this.row(one.at_ms, "failed", who, [`${one.operation} was refused: ${one.message}`], String(one.status));
  }
}
