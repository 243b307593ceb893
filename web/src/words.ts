// Times and numbers as people read them. Everything is UTC, as the answers are.

const DAY = 86_400_000;

function part(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
}

const clock = part({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const short = part({ hour: "2-digit", minute: "2-digit" });
const date = part({ day: "numeric", month: "short", year: "numeric" });
const dayAndMonth = part({ day: "numeric", month: "short" });

export function moment(ms: number): string {
  return `${date.format(ms)}, ${clock.format(ms)}`;
}

/** A moment, as exact as a span of time needs it. */
export function within(ms: number, spanMs: number): string {
  if (spanMs <= 20 * 60_000) return clock.format(ms);
  if (spanMs <= DAY) return short.format(ms);
  if (spanMs <= 90 * DAY) return `${dayAndMonth.format(ms)} ${short.format(ms)}`;
  return date.format(ms);
}

export function day(ms: number): string {
  return date.format(ms);
}

export function ago(ms: number): string {
  const seconds = Math.max(0, ms / 1000);
  const steps: [number, string][] = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  for (const [size, name] of steps) {
    if (seconds >= size) return many(Math.round(seconds / size), name);
  }
  return "a moment";
}

export function many(count: number, name: string): string {
  return `${count.toLocaleString("en-GB")} ${name}${count === 1 ? "" : "s"}`;
}

export function metres(value: number): string {
  return value >= 1000 ? `${+(value / 1000).toPrecision(2)} km` : `${+value.toPrecision(2)} m`;
}

export function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function percent(share: number): string {
  if (share > 0 && share < 0.01) return "<1%";
  return `${Math.round(share * 100)}%`;
}

const ASKS = /^(where|what|when|who|how|which|why|is|are|did|do|does|have|has|was|were|can)\b/i;
const TELLS = /^(show|find|list|tell|describe|in|at|on|between|since|yesterday|today)\b/i;

/** A name or two of a thing becomes a question; anything longer is asked as it is. */
export function asQuestion(words: string): string {
  const said = words.trim().replace(/\s+/g, " ");
  if (!said || /[?.!]$/.test(said)) return said;
  if (ASKS.test(said)) return `${capital(said)}?`;
  if (TELLS.test(said) || said.split(" ").length > 3) return capital(said);
  return `Where is the ${said.replace(/^(the|a|an|my)\s+/i, "")}?`;
}
