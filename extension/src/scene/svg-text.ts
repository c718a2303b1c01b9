/** A coordinate, as exact as anybody can see. */
export function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as XML takes it; characters that XML has no way to write are left out. */
export function escape(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"]/g, (found) => ESCAPES[found]);
}
