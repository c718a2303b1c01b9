/**
 * A name that nobody else has.
 *
 * `crypto.randomUUID` is there only on pages that came over HTTPS or from this machine; a hub in a
 * local network may serve plain HTTP.
 */
export function newIdentity(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
