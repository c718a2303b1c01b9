/** One version of a module that the page's applications and extensions share. */
export interface SharedVersion {
  get(): Promise<() => unknown>;
  loaded?: unknown;
}

/** Module federation's share scope: name, then version. */
export type ShareScope = Record<string, Record<string, SharedVersion>>;

type Require = (name: string) => unknown;
/** A CommonJS module whose imports are the shared modules. */
export type Definition = (module: { exports: unknown }, exports: object, require: Require) => void;

/** What JupyterLab asks of a prebuilt extension's remote entry. */
export interface Container {
  init(scope: ShareScope): void;
  get(name: string): Promise<() => unknown>;
}

/**
 * A module federation container for modules that bundle nothing of JupyterLab: `shared` names all
 * that they import. A shared module that the page lacks (Notebook 7 has no launcher) is empty, so
 * a token imported from it is undefined, which as an optional dependency means "not there".
 */
export function container(
  shared: readonly string[],
  definitions: Readonly<Record<string, Definition>>,
): Container {
  let scope: ShareScope = {};
  let imports: Promise<Map<string, unknown>> | null = null;
  const instances = new Map<string, unknown>();

  const load = async (): Promise<Map<string, unknown>> => {
    const entries = shared.map(async (name): Promise<[string, unknown]> => {
      const version = preferredVersion(scope[name] ?? {});
      return [name, version ? (await version.get())() : {}];
    });
    return new Map(await Promise.all(entries));
  };

  return {
    init(given) {
      scope = given;
    },
    async get(name) {
      const define = definitions[name];
      if (!define) {
        throw new Error(`The workbench has no module ${name}`);
      }
      // Only now: all containers have shared their versions, so the newest one is known.
      imports ??= load();
      const loaded = await imports;
      return () => {
        if (!instances.has(name)) {
          const module = { exports: {} };
          define(module, module.exports, (wanted) => loaded.get(wanted));
          instances.set(name, module.exports);
        }
        return instances.get(name);
      };
    },
  };
}

/** The version in use already, else the newest: JupyterLab shares each of its modules once. */
export function preferredVersion(versions: Record<string, SharedVersion>): SharedVersion | null {
  const names = Object.keys(versions).sort(compareVersions).reverse();
  const chosen = names.find((name) => versions[name]?.loaded) ?? names[0];
  return chosen === undefined ? null : (versions[chosen] ?? null);
}

/** Orders versions by their numbers; a pre-release comes before its release. */
export function compareVersions(one: string, other: string): number {
  const [ours, theirs] = [parts(one), parts(other)];
  for (let place = 0; place < 3; place++) {
    const difference = (ours.numbers[place] ?? 0) - (theirs.numbers[place] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  if (ours.suffix === "" || theirs.suffix === "") {
    return Number(ours.suffix === "") - Number(theirs.suffix === "");
  }
  return ours.suffix.localeCompare(theirs.suffix, "en", { numeric: true });
}

function parts(version: string): { numbers: number[]; suffix: string } {
  const [numbers = "", ...suffix] = (version.split("+")[0] ?? "").split("-");
  return { numbers: numbers.split(".").map(Number), suffix: suffix.join("-") };
}
