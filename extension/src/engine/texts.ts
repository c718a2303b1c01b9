/** Shorter lists travel as they are. */
const LONG = 64;
/** Between the texts of a list; names that hold it would be taken apart, so such lists stay lists. */
const SEPARATOR = "\n";

/** A list of texts as one text: tens of thousands of strings cost a page as many allocations. */
interface Joined {
  readonly joined: string;
}

/** The object with its long lists of texts joined, for posting. */
export function joinTexts(message: unknown): unknown {
  if (!isRecord(message)) return message;
  return Object.fromEntries(
    Object.entries(message).map(([key, part]) => [key, isLongTexts(part) ? join(part) : part]),
  );
}

/** What `joinTexts` was given; each list comes apart when it is first looked at. */
export function splitTexts(message: unknown): unknown {
  if (!isRecord(message)) return message;
  for (const [key, part] of Object.entries(message)) {
    if (!isRecord(part) || typeof part["joined"] !== "string") continue;
    const { joined } = part as unknown as Joined;
    let texts: readonly string[] | null = null;
    Object.defineProperty(message, key, {
      get: () => (texts ??= joined.split(SEPARATOR)),
      enumerable: true,
    });
  }
  return message;
}

function join(texts: readonly string[]): Joined | readonly string[] {
  const joined = texts.join(SEPARATOR);
  return separatorsIn(joined) === texts.length - 1 ? { joined } : texts;
}

function separatorsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf(SEPARATOR); at >= 0; at = text.indexOf(SEPARATOR, at + 1)) count++;
  return count;
}

function isLongTexts(part: unknown): part is readonly string[] {
  return Array.isArray(part) && part.length >= LONG && typeof part[0] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}
