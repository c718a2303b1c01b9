import type { Hierarchy } from "./hierarchy.js";
import { Kind, type Hit } from "./types.js";

/** One condition of a query, all of which a hit must meet; a score tells how well it does, 0 not. */
type Condition = (item: number) => number;

/** Finds items by name, type, shape or device. */
export class Search {
  private readonly lowerNames: readonly string[];
  private readonly lowerLabels: readonly string[];

  constructor(private readonly hierarchy: Hierarchy) {
    this.lowerNames = hierarchy.names.map((name) => name.toLowerCase());
    this.lowerLabels = hierarchy.labels.map((label) => label.toLowerCase());
  }

  /**
   * The best hits first, at most so many: exact labels, then labels that begin as asked, then those
   * that hold it, then names; short names before long ones.
   *
   * A query is words that must all be met: parts of names, `type:MatMul`, `shape:128`,
   * `device:gpu`; or one regular expression between slashes, for whole names. Throws an Error in
   * words where that cannot be read.
   */
  find(query: string, most: number): Hit[] {
    const conditions = this.readQuery(query.trim());
    if (conditions.length === 0) return [];
    const { names, graph, operations, count } = this.hierarchy;
    const found: { item: number; score: number }[] = [];
    for (let item = 0; item < count; item++) {
      let score = 0;
      for (const condition of conditions) {
        const part = condition(item);
        score = part === 0 ? -Infinity : score + part;
        if (part === 0) break;
      }
      if (score > 0) found.push({ item, score });
    }
    const better = (one: { item: number; score: number }, other: { item: number; score: number }) =>
      other.score - one.score ||
      names[one.item].length - names[other.item].length ||
      one.item - other.item;
    found.sort(better);
    return found.slice(0, most).map(({ item }) => ({
      item,
      name: names[item],
      type: item < operations ? graph.types[graph.type[item]] : "",
    }));
  }

  private readQuery(query: string): Condition[] {
    const expression = /^\/(.+)\/(i?)$/s.exec(query);
    if (expression !== null) return [this.byExpression(expression[1], expression[2])];
    const words = query.split(/\s+/).filter((word) => word !== "");
    return words.map((word) => {
      const [, field, text] = /^(type|shape|device):(.*)$/i.exec(word) ?? [];
      if (field === undefined) return this.byName(word.toLowerCase());
      if (text === "")
        throw new Error(
          `Say what to look for after "${field}:", as in ${EXAMPLES[field.toLowerCase()]}.`,
        );
      const { graph } = this.hierarchy;
      if (field.toLowerCase() === "type") return this.byTable(graph.types, graph.type, text);
      if (field.toLowerCase() === "device") return this.byTable(graph.devices, graph.device, text);
      return this.byShape(text);
    });
  }

  private byExpression(source: string, flags: string): Condition {
    let expression: RegExp;
    try {
      expression = new RegExp(source, flags);
    } catch (error) {
      const reason = (error as Error).message.replace(
        /^Invalid regular expression: (\/.*\/\w*: )?/s,
        "",
      );
      throw new Error(`/${source}/ is no regular expression: ${reason.toLowerCase()}.`);
    }
    const { names, labels } = this.hierarchy;
    return (item) => (expression.test(labels[item]) ? 2 : expression.test(names[item]) ? 1 : 0);
  }

  private byName(text: string): Condition {
    const { lowerNames, lowerLabels } = this;
    const { kind } = this.hierarchy;
    return (item) => {
      const name = lowerNames[item];
      if (!name.includes(text)) return 0;
      if (name === text) return 8;
      const label = lowerLabels[item];
      // Series and segments hold what is looked for; the thing itself is the better hit.
      const real = kind[item] === Kind.series ? 0 : 0.5;
      if (label === text) return 6 + real;
      if (label.startsWith(text)) return 4 + real;
      return (label.includes(text) ? 2 : 1) + real;
    };
  }

  private byTable(table: readonly string[], index: Uint16Array, text: string): Condition {
    const wanted = text.toLowerCase();
    const scores = table.map((entry) => {
      const lower = entry.toLowerCase();
      if (lower === wanted) return 3;
      return lower.startsWith(wanted) ? 2 : lower.includes(wanted) ? 1 : 0;
    });
    const { operations } = this.hierarchy;
    return (item) => (item < operations ? scores[index[item]] : 0);
  }

  /** Operations with a result of such a shape, as far as anything uses it. */
  private byShape(text: string): Condition {
    const { graph, operations } = this.hierarchy;
    const wanted = text.toLowerCase().replaceAll("none", "?");
    // A number stands for a whole dimension: 12 is no part of 128.
    const isPart = (shape: string): boolean => {
      const at = shape.toLowerCase().indexOf(wanted);
      if (at < 0 || !/^\d+$/.test(wanted)) return at >= 0;
      return new RegExp(`(^|\\D)${wanted}(\\D|$)`).test(shape.replace(/^[^[]*/, ""));
    };
    const matches = graph.shapes.map((shape) => shape !== "" && isPart(shape));
    const hit = new Uint8Array(operations);
    for (let edge = 0; edge < graph.edgeSource.length; edge++) {
      if (!matches[graph.edgeShape[edge]]) continue;
      hit[graph.edgeSource[edge]] = 1;
      if (graph.nesting !== null) hit[graph.nesting.edgeOwner[edge]] = 1;
    }
    return (item) => (item < operations ? hit[item] : 0);
  }
}

const EXAMPLES: Record<string, string> = {
  type: "type:MatMul",
  shape: "shape:128",
  device: "device:gpu",
};
