// The engine in a web worker. Bundled into one text, which the page starts from a Blob.
import { Answers } from "./answers.js";
import { buffersOf, type Answer, type Method, type Request } from "./messages.js";
import { joinTexts, splitTexts } from "./texts.js";

/** What of a worker's global scope is used; the DOM's types describe a page. */
interface WorkerScope {
  onmessage: ((event: { data: Request }) => void) | null;
  postMessage(message: Answer, transfer: ArrayBuffer[]): void;
}

const scope = globalThis as unknown as WorkerScope;
const answers = new Answers() as unknown as Record<Method, (...given: unknown[]) => unknown>;

scope.onmessage = ({ data: { id, method, given } }) => {
  try {
    const result = answers[method](...given.map(splitTexts));
    scope.postMessage({ id, result: joinTexts(result) }, buffersOf(result));
  } catch (error) {
    scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) }, []);
  }
};
