// How numbers, times and events read.

/** "+14255550123" as "+1 425 555 0123"; users and others as they are. */
export function pretty(number) {
  const american = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  if (american) return `+1 ${american[1]} ${american[2]} ${american[3]}`;
  if (number === "anonymous") return "a withheld number";
  return /^\+\d+$/.test(number) ? number.replace(/(\d{3})(?=\d)/g, "$1 ") : number;
}

/** Seconds as "0:42". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** What a prompt says, without the tags if it is SSML. */
export function spoken(text) {
  if (!/^\s*<speak[\s>]/i.test(text)) return text;
  return text.replace(/<[^<>]*>/g, " ").replace(/\s+/g, " ").trim();
}

/** What went wrong with a delivery, with what to do. */
export function trouble(delivery) {
  const tried = delivery.attempts > 1 ? ` (tried ${delivery.attempts} times)` : "";
  if (delivery.fault) return `${delivery.type}: a fault that is switched on (${delivery.fault})${tried}`;
  if (delivery.error) {
    const why = /refused|Cannot connect/i.test(delivery.error) ? "nothing listens there" : /Timeout/.test(delivery.error) ? "no response in time" : delivery.error;
    return `Your app did not take ${delivery.type}: ${why}. Is it running at ${delivery.to}?${tried}`;
  }
  const why = { 401: "it refused the token", 403: "it refused the token", 404: "there is no such address" }[delivery.status];
  return `Your app did not take ${delivery.type}: ${delivery.status}${why ? `, ${why}` : ""}${tried}`;
}
