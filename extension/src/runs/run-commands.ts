import type { Client } from "../protocol/client.js";
import { messageOf } from "../protocol/errors.js";
import type { CommandResult, Commands } from "../protocol/messages.js";
import { element } from "./dom.js";
import { count } from "./format.js";
import type { PythonBox } from "./python-box.js";
import { pythonLine } from "./python-line.js";
import type { RunWords } from "./run-words.js";

/** Milliseconds after which a command that is not acknowledged is said to wait. */
const PATIENCE = 1000;

/** Milliseconds that a done command is told. */
const NEWS = 8000;

export interface RunCommandsOptions {
  readonly run: string;
  /** The connection that there is now. */
  readonly client: () => Client;
  readonly words: RunWords;
  readonly python: PythonBox;
  readonly onForked: (run: string) => void;
  readonly onOpenRun?: ((run: string) => void) | undefined;
}

/** What a run is told, and what became of it. */
export class RunCommands {
  constructor(private readonly options: RunCommandsOptions) {}

  async request<Name extends keyof Commands>(
    command: Name,
    given: Commands[Name],
  ): Promise<CommandResult> {
    const params = { run: this.options.run, command, arguments: given } as never;
    const { result } = await this.options.client().request("run.command", params);
    this.options.python.show(result.python ?? pythonLine(command, given));
    return result;
  }

  /** Send a command that is no slider's, and say what becomes of it. */
  send<Name extends keyof Commands>(command: Name, given: Commands[Name]): void {
    const waiting = setTimeout(
      () => this.options.words.report(`${command}: will apply when the cell ends`, null),
      PATIENCE,
    );
    this.options.words.report("", null);
    if (!this.options.client().closed) this.options.words.tell(null, "");
    this.request(command, given)
      .then((result) => this.#acknowledge(command, given, result))
      .catch((error: unknown) => {
        this.options.words.report("", null);
        this.options.words.tell("wrong", messageOf(error));
      })
      .finally(() => clearTimeout(waiting));
  }

  #acknowledge<Name extends keyof Commands>(
    command: Name,
    given: Commands[Name],
    { step, run }: CommandResult,
  ): void {
    const at = `step ${count(step)}`;
    // The answer's step is when it was done; a fork begins where it was asked for.
    const from = "step" in given && typeof given.step === "number" ? given.step : step;
    const texts: Partial<Record<keyof Commands, string>> = {
      rewind: `Went back to ${at}`,
      snapshot: `Kept the state of ${at}`,
      fork: `Forked from step ${count(from)}`,
      stop: `Stopped at ${at}`,
    };
    if (command !== "fork" || run === undefined) {
      this.options.words.report(texts[command] ?? "", NEWS);
      return;
    }
    this.options.onForked(run);
    const open = this.options.onOpenRun;
    this.options.words.report(texts.fork ?? "", open ? null : NEWS);
    if (!open) return;
    const link = element("button", {
      class: "run-link",
      text: "Open it",
      attributes: { type: "button" },
      on: { click: () => open(run) },
    });
    this.options.words.news.append(" ", link);
  }
}
