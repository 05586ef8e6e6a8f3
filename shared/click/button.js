// The call-me button of a web page.
//
//   <script src="https://APP/api/click/button.js" data-token="TOKEN" defer></script>
//   <button type="button" data-switchboard>Call me</button>
//
// More attributes of the script: data-lang (en, de, es; else that of the page), data-captcha (the name of the form field
// into which a captcha on the page writes its answer), data-token="#" (the token stands in the address after #).
// Colours: the custom property --switchboard-accent on the page. Nothing is stored, nothing else is loaded.
(() => {
  "use strict";
  const script = document.currentScript;
  const base = new URL(".", script.src).href;
  const token = script.dataset.token === "#" ? decodeURIComponent(location.hash.slice(1)) : script.dataset.token || "";
  const WEEK = 7 * 24 * 3600 * 1000;
  const POLL = 2000;
  const SLOW_POLL = 20000;

  const WORDS = {
    en: {
      title: "We call you", number: "Your telephone number", name: "Your name (optional)",
      when: "When?", now: "Now", later: "Later", at: "Day and time", send: "Call me now", sendLater: "Call me then",
      close: "Close", cancel: "Do not call me", again: "Try again", wait: "One moment …",
      closed: "We are closed now. We open {at}.", shut: "Nobody can be called from here at the moment.",
      countries: "We call numbers in: {list}.",
      badNumber: "Please check the number: {list} only.", badName: "Please write your name in letters only.",
      badAt: "Please choose a time within the next 7 days.", agree: "Please agree first, so that we may call you.",
      captcha: "Please solve the puzzle on the page first.",
      many: "There were too many calls. Please try again in {time}.", minutes: "{n} min", hours: "{n} h",
      changed: "Something has changed meanwhile. Please look again.", offline: "We could not be reached. Please try again.",
      waiting: "We call you {at}.", calling_agent: "We are calling a colleague.",
      calling_you: "Your telephone rings now.", connected: "You are connected.",
      completed: "Thank you for the call.", no_agent: "Nobody is free at the moment. Please try again later.",
      not_reached: "We could not reach you.", no_line: "All our lines are busy. Please try again in a few minutes.",
      cancelled: "We will not call you.", withdrawn: "Nobody can be called from here any more.",
      missed: "We could not call you at that time.", failed: "Something went wrong. Please try again later.",
      step1: "A colleague is called", step2: "Your telephone rings", step3: "You talk",
    },
    de: {
      title: "Wir rufen Sie an", number: "Ihre Telefonnummer", name: "Ihr Name (freiwillig)",
      when: "Wann?", now: "Jetzt", later: "Später", at: "Tag und Uhrzeit", send: "Jetzt anrufen lassen",
      sendLater: "Dann anrufen lassen",
      close: "Schließen", cancel: "Doch nicht anrufen", again: "Noch einmal versuchen", wait: "Einen Moment …",
      closed: "Wir haben gerade geschlossen. Wir öffnen {at}.", shut: "Von hier aus ist gerade kein Anruf möglich.",
      countries: "Wir rufen Nummern an in: {list}.",
      badNumber: "Bitte prüfen Sie die Nummer: nur {list}.", badName: "Bitte schreiben Sie Ihren Namen nur mit Buchstaben.",
      badAt: "Bitte wählen Sie eine Zeit in den nächsten 7 Tagen.", agree: "Bitte stimmen Sie zuerst zu, damit wir anrufen dürfen.",
      captcha: "Bitte lösen Sie zuerst das Rätsel auf der Seite.",
      many: "Es waren zu viele Anrufe. Bitte versuchen Sie es in {time} wieder.", minutes: "{n} Min.", hours: "{n} Std.",
      changed: "Inzwischen hat sich etwas geändert. Bitte sehen Sie noch einmal nach.",
      offline: "Wir sind nicht erreichbar. Bitte versuchen Sie es noch einmal.",
      waiting: "Wir rufen Sie {at} an.", calling_agent: "Wir rufen jemanden aus unserem Team.",
      calling_you: "Jetzt klingelt Ihr Telefon.", connected: "Sie sind verbunden.",
      completed: "Vielen Dank für das Gespräch.", no_agent: "Gerade ist niemand frei. Bitte versuchen Sie es später wieder.",
      not_reached: "Wir konnten Sie nicht erreichen.", no_line: "Alle Leitungen sind besetzt. Bitte versuchen Sie es in einigen Minuten wieder.",
      cancelled: "Wir rufen Sie nicht an.", withdrawn: "Von hier aus ist kein Anruf mehr möglich.",
      missed: "Wir konnten Sie zu dieser Zeit nicht anrufen.", failed: "Da ist etwas schiefgegangen. Bitte versuchen Sie es später wieder.",
      step1: "Unser Team wird angerufen", step2: "Ihr Telefon klingelt", step3: "Sie sprechen",
    },
    es: {
      title: "Le llamamos", number: "Su número de teléfono", name: "Su nombre (opcional)",
      when: "¿Cuándo?", now: "Ahora", later: "Más tarde", at: "Día y hora", send: "Llámenme ahora", sendLater: "Llámenme entonces",
      close: "Cerrar", cancel: "No me llamen", again: "Intentar otra vez", wait: "Un momento …",
      closed: "Ahora está cerrado. Abrimos {at}.", shut: "En este momento no se puede llamar desde aquí.",
      countries: "Llamamos a números de: {list}.",
      badNumber: "Compruebe el número: solo {list}.", badName: "Escriba su nombre solo con letras.",
      badAt: "Elija una hora dentro de los próximos 7 días.", agree: "Acepte primero, para que podamos llamarle.",
      captcha: "Resuelva primero el acertijo de la página.",
      many: "Hubo demasiadas llamadas. Inténtelo de nuevo en {time}.", minutes: "{n} min", hours: "{n} h",
      changed: "Algo ha cambiado entretanto. Mírelo otra vez.", offline: "No se nos puede alcanzar. Inténtelo de nuevo.",
      waiting: "Le llamamos {at}.", calling_agent: "Llamamos a alguien de nuestro equipo.",
      calling_you: "Ahora suena su teléfono.", connected: "Está en comunicación.",
      completed: "Gracias por la llamada.", no_agent: "Ahora no hay nadie libre. Inténtelo más tarde.",
      not_reached: "No pudimos localizarle.", no_line: "Todas las líneas están ocupadas. Inténtelo en unos minutos.",
      cancelled: "No le llamaremos.", withdrawn: "Ya no se puede llamar desde aquí.",
      missed: "No pudimos llamarle a esa hora.", failed: "Algo salió mal. Inténtelo más tarde.",
      step1: "Se llama a nuestro equipo", step2: "Suena su teléfono", step3: "Hablan",
    },
  };

  const STYLE = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    dialog {
      --accent: var(--switchboard-accent, #1f56c2); --on-accent: #fff; --surface: #fff; --ink: #1b2330; --ink-2: #525d6e;
      --line: #c3c9d3; --bad: #a8231b; --good: #13653a; --soft: #f4f5f7;
      width: min(26rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem); overflow: auto; padding: 0; border: 0;
      border-radius: 14px; color: var(--ink); background: var(--surface); box-shadow: 0 20px 60px rgb(10 20 40 / 30%);
      font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; color-scheme: light;
    }
    dialog::backdrop { background: rgb(10 15 25 / 50%); }
    @media (prefers-color-scheme: dark) {
      dialog {
        --accent: var(--switchboard-accent-dark, #8fb4ff); --on-accent: #0f1a30; --surface: #181d24; --ink: #e7eaef;
        --ink-2: #a5afbd; --line: #46505e; --bad: #ff9d94; --good: #7fd6a3; --soft: #222932; color-scheme: dark;
        border: 1px solid #2e3641;
      }
    }
    header { display: flex; align-items: start; gap: 1rem; padding: 1.25rem 1.25rem 0; }
    h2 { margin: 0; font-size: 1.25rem; line-height: 1.25; font-weight: 650; overflow-wrap: anywhere; }
    header p { margin: .125rem 0 0; color: var(--ink-2); font-size: .875rem; }
    header div { flex: 1; min-width: 0; }
    form, section { display: grid; gap: 1rem; padding: 1rem 1.25rem 1.25rem; }
    label, legend { font-size: .875rem; font-weight: 600; }
    .field { display: grid; gap: .375rem; }
    .hint { color: var(--ink-2); font-size: .8125rem; margin: 0; }
    input:not([type=radio], [type=checkbox]) {
      width: 100%; min-width: 0; min-height: 44px; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: 8px;
      background: var(--surface); color: inherit; font: inherit;
    }
    input[aria-invalid=true] { border-color: var(--bad); }
    fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
    legend { padding: 0; margin-bottom: .375rem; }
    .choice { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
    .choice label { position: relative; display: grid; place-items: center; min-height: 44px; border: 1px solid var(--line); border-radius: 8px; font-weight: 500; font-size: 1rem; cursor: pointer; }
    .choice input { position: absolute; opacity: 0; inset: 0; margin: 0; cursor: pointer; }
    .choice label:has(:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); font-weight: 650; }
    .choice label:has(:focus-visible) { outline: 2px solid var(--accent); outline-offset: 2px; }
    .agree { display: grid; grid-template-columns: auto 1fr; gap: .625rem; align-items: start; font-weight: 400; line-height: 1.4; }
    .agree input { width: 20px; height: 20px; margin: 0; accent-color: var(--accent); }
    button { min-height: 44px; padding: .5rem 1rem; border-radius: 8px; border: 1px solid var(--line); background: transparent; color: inherit; font: inherit; font-weight: 600; cursor: pointer; }
    button.main { border-color: transparent; background: var(--accent); color: var(--on-accent); }
    button[disabled] { opacity: .6; cursor: default; }
    button.x { min-height: 44px; width: 44px; margin: -.5rem -.5rem 0 0; padding: 0; border: 0; font-size: 1.5rem; line-height: 1; font-weight: 400; color: var(--ink-2); }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    .note { margin: 0; padding: .625rem .75rem; border-radius: 8px; background: var(--soft); font-size: .9375rem; }
    .error { margin: 0; color: var(--bad); font-size: .9375rem; font-weight: 500; }
    .error::before { content: "! "; font-weight: 700; }
    .state { margin: 0; font-size: 1.125rem; font-weight: 600; }
    .state.good { color: var(--good); } .state.bad { color: var(--bad); }
    ol { margin: 0; padding: 0; list-style: none; display: grid; gap: .75rem; }
    li { display: grid; grid-template-columns: 1.5rem 1fr; gap: .625rem; align-items: center; color: var(--ink-2); }
    li::before { content: ""; width: 1.25rem; height: 1.25rem; border: 2px solid var(--line); border-radius: 50%; display: grid; place-items: center; font-size: .8125rem; font-weight: 700; line-height: 1; }
    li.done { color: var(--ink); } li.done::before { content: "✓"; border-color: var(--good); color: var(--good); }
    li.on { color: var(--ink); font-weight: 600; } li.on::before { border-color: var(--accent); border-top-color: transparent; animation: turn 1s linear infinite; }
    @keyframes turn { to { transform: rotate(1turn); } }
    @media (prefers-reduced-motion: reduce) { li.on::before { animation: none; border-style: dotted; border-top-color: var(--accent); } }
    [hidden] { display: none !important; }
  `;

  let site = null; // what the app says of the button
  let sent = null; // the last request, and its key: sent again, it is the same
  let current = null; // what is under way: a form that is opened again shows it
  let timer = 0;
  let root, dialog, said = WORDS.en, language = "en";

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const make = (tag, attributes = {}, ...inside) => {
    const found = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
      else if (value !== false && value !== null) found.setAttribute(name, value === true ? "" : value);
    }
    found.append(...inside);
    return found;
  };

  function speak() {
    const wished = [script.dataset.lang, document.documentElement.lang, site && site.language, navigator.language, "en"];
    language = wished.filter(Boolean).find((tag) => WORDS[tag.slice(0, 2).toLowerCase()]) || "en";
    said = WORDS[language.slice(0, 2).toLowerCase()];
  }

  async function ask(path, body, headers = {}) {
    const request = body === null ? {} : { method: "POST", body: JSON.stringify(body) };
    if (body !== null) request.headers = { "Content-Type": "application/json", ...headers };
    const response = await fetch(base + path, { ...request, credentials: "omit", referrerPolicy: "no-referrer" });
    const found = await response.json().catch(() => ({}));
    if (!response.ok) throw { status: response.status, after: Number(response.headers.get("Retry-After")), ...found };
    return found;
  }

  const inWords = (at) => new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" }).format(new Date(at));
  const countries = () => {
    const names = new Intl.DisplayNames([language], { type: "region" });
    return site.countries.map((code) => names.of(code)).join(", ");
  };
  const duration = (seconds) => seconds < 5400 ? fill(said.minutes, { n: Math.max(1, Math.ceil(seconds / 60)) }) : fill(said.hours, { n: Math.ceil(seconds / 3600) });
  // A moment as an input of the kind datetime-local has it: by the clock of this machine.
  const local = (at) => new Date(at - new Date(at).getTimezoneOffset() * 60000).toISOString().slice(0, 16);

  function show(...inside) {
    clearTimeout(timer);
    const close = make("button", { class: "x", type: "button", "aria-label": said.close, onclick: () => dialog.close() }, "×");
    const title = make("h2", { id: "title" }, said.title);
    dialog.lang = language;
    dialog.replaceChildren(make("header", {}, make("div", {}, title, make("p", {}, site ? site.company : "")), close), ...inside);
  }

  function showForm(problem = "") {
    const opens = site.opens_at ? Date.parse(site.opens_at) : null;
    if (opens === null) return show(make("section", {}, make("p", { class: "note", role: "status" }, said.shut)));
    const first = site.is_open ? Date.now() + 15 * 60000 : opens;
    const number = make("input", { id: "number", type: "tel", autocomplete: "tel", inputmode: "tel", required: true, maxlength: 40, "aria-describedby": "where error" });
    const name = make("input", { id: "name", autocomplete: "name", maxlength: 60, "aria-describedby": "error" });
    const at = make("input", { id: "at", type: "datetime-local", min: local(first), max: local(Date.now() + WEEK), "aria-describedby": "error" });
    at.value = local(Math.ceil(first / 900000) * 900000);
    const agreed = make("input", { id: "agree", type: "checkbox", required: true, "aria-describedby": "error" });
    const now = make("input", { type: "radio", name: "when", value: "now" });
    const later = make("input", { type: "radio", name: "when", value: "later" });
    (site.is_open ? now : later).checked = true;
    const error = make("p", { class: "error", id: "error", role: "alert", hidden: !problem }, problem);
    const send = make("button", { class: "main", type: "submit" }, "");
    const moment = make("div", { class: "field" }, make("label", { for: "at" }, said.at), at);
    const turn = () => {
      moment.hidden = !later.checked;
      send.textContent = later.checked ? said.sendLater : said.send;
    };
    const wrong = (text, field) => {
      error.textContent = text;
      error.hidden = false;
      for (const one of [number, name, at, agreed]) one.setAttribute("aria-invalid", String(one === field));
      if (field) field.closest(".field, .agree").after(error);
      else send.before(error);
      if (field) field.focus();
    };
    const form = make("form", { novalidate: true, onchange: turn },
      site.is_open ? "" : make("p", { class: "note" }, fill(said.closed, { at: inWords(site.opens_at) })),
      make("div", { class: "field" }, make("label", { for: "number" }, said.number), number,
        make("p", { class: "hint", id: "where" }, fill(said.countries, { list: countries() }))),
      make("div", { class: "field" }, make("label", { for: "name" }, said.name), name),
      make("fieldset", { hidden: !site.is_open }, make("legend", {}, said.when),
        make("div", { class: "choice" }, make("label", {}, now, said.now), make("label", {}, later, said.later))),
      moment,
      make("label", { class: "agree" }, agreed, make("span", {}, site.consent)),
      error, send);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!number.value.trim()) return wrong(fill(said.badNumber, { list: countries() }), number);
      if (later.checked && !(Date.parse(at.value) > Date.now())) return wrong(said.badAt, at);
      if (!agreed.checked) return wrong(said.agree, agreed);
      const field = script.dataset.captcha && document.querySelector(`[name="${CSS.escape(script.dataset.captcha)}"]`);
      if (site.captcha && !(field && field.value)) return wrong(said.captcha, null);
      const wish = { token, number: number.value.trim(), name: name.value.trim(), consent: site.consent_version };
      if (later.checked) wish.at = new Date(at.value).toISOString();
      const text = JSON.stringify(wish);
      if (!sent || sent.text !== text) sent = { text, key: key() };
      if (field) wish.captcha = field.value;
      send.disabled = true;
      error.hidden = true;
      try {
        follow(await ask("calls", wish, { "Idempotency-Key": sent.key }));
        sent = null;
      } catch (problem) {
        send.disabled = false;
        if (problem.status === 400 && problem.field === "number") wrong(fill(said.badNumber, { list: countries() }), number);
        else if (problem.status === 400 && problem.field === "name") wrong(said.badName, name);
        else if (problem.status === 400 && problem.field === "at") wrong(said.badAt, at);
        else if (problem.status === 400 && problem.field === "captcha") wrong(said.captcha, null);
        else if (problem.status === 409) start(said.changed);
        else if (problem.status === 429) wrong(fill(said.many, { time: duration(problem.after || 60) }), null);
        else wrong(said.offline, null);
      }
    });
    turn();
    show(form);
    number.focus();
  }

  const key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  const STEPS = ["calling_agent", "calling_you", "connected"];

  function follow(found) {
    const over = found.state === "ended";
    current = over ? null : found;
    const word = over ? found.outcome : found.state;
    const line = make("p", { class: "state" + (word === "completed" || word === "connected" ? " good" : over && word !== "cancelled" ? " bad" : ""), role: "status", tabindex: "-1" },
      fill(said[word] || said.failed, { at: inWords(found.at) }));
    const inside = [line];
    const at = STEPS.indexOf(found.state);
    if (at >= 0) {
      inside.push(make("ol", {}, ...["step1", "step2", "step3"].map((step, number) =>
        make("li", { class: number < at || found.state === "connected" ? "done" : number === at ? "on" : "" }, said[step]))));
    }
    if (found.state === "waiting") {
      inside.push(make("button", { type: "button", onclick: async () => {
        try { follow(await ask(`calls/${found.id}/cancel`, {})); } catch { poll(found, 0); }
      } }, said.cancel));
    }
    if (over && !["completed", "withdrawn", "cancelled"].includes(word)) {
      inside.push(make("button", { class: "main", type: "button", onclick: () => start() }, said.again));
    }
    const old = root.querySelector(".state");
    if (!old || old.textContent !== line.textContent || old.className !== line.className) {
      show(make("section", {}, ...inside));
      if (!old) line.focus();
    }
    if (!over) poll(found, found.state === "waiting" ? SLOW_POLL : POLL);
  }

  function poll(found, after) {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (!dialog.open) return;
      try { follow(await ask(`calls/${found.id}`, null)); } catch { poll(found, SLOW_POLL); }
    }, after);
  }

  async function start(problem = "") {
    speak();
    show(make("section", {}, make("p", { class: "note", role: "status" }, said.wait)));
    try {
      site = await ask("button", { token });
    } catch (error) {
      const refused = error.status === 403;
      const again = make("button", { class: "main", type: "button", onclick: () => start() }, said.again);
      return show(make("section", {}, make("p", { class: "error", role: "alert" }, refused ? said.shut : said.offline), ...(refused ? [] : [again])));
    }
    speak();
    showForm(problem);
  }

  function open() {
    if (!dialog) {
      const host = make("div", { "data-switchboard-dialog": true });
      root = host.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      dialog = make("dialog", { "aria-labelledby": "title", onclose: () => clearTimeout(timer) });
      root.append(dialog);
      document.body.append(host);
    }
    dialog.showModal();
    if (current) poll(current, 0);
    else start();
  }

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-switchboard]");
    if (!button) return;
    event.preventDefault();
    open();
  });
})();
