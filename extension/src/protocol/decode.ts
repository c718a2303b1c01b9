import type { Graph, Nesting } from "../scene/types.js";
import { Code, ProtocolError } from "./errors.js";
import type { GraphHeader, WireNumber } from "./messages.js";

/** A run's recorded steps, and the values of each name at them. */
export interface Columns {
  readonly steps: Float64Array;
  readonly values: ReadonlyMap<string, Float64Array>;
}

/** The buffers of `graph.get` as the engine takes them. Fails if they do not fit the header. */
export function decodeGraph(header: GraphHeader, buffers: readonly DataView[]): Graph {
  const { operations: n, edges: m, types, devices, shapes } = header;
  const at = (index: number) => buffer(buffers, index, "graph.get");
  const text = new TextDecoder().decode(at(0));
  const names = text === "" ? [] : text.split("\n");
  expect(names.length === n, `graph.get has ${names.length} names for ${n} operations`);
  const inDiff = header.against !== null && header.against !== undefined;
  const runsOn = decodePlaces(header, buffers);
  const graph: Graph = {
    name: header.graph,
    version: header.version,
    names,
    types,
    devices: runsOn?.places ?? devices,
    shapes,
    type: typed(Uint16Array, at(1), n, "types"),
    device: runsOn?.place ?? typed(Uint16Array, at(2), n, "devices"),
    role: typed(Uint8Array, at(3), n, "roles"),
    edgeSource: typed(Uint32Array, at(4), m, "sources"),
    edgeTarget: typed(Uint32Array, at(5), m, "targets"),
    edgeOutput: typed(Uint16Array, at(6), m, "outputs"),
    edgeShape: typed(Uint32Array, at(7), m, "shapes"),
    status: inDiff ? typed(Uint8Array, at(8), n, "statuses") : null,
    edgeStatus: inDiff ? typed(Uint8Array, at(9), m, "statuses of edges") : null,
    nesting: decodeNesting(header, buffers),
  };
  expectBelow(graph.type, types.length, "type");
  expectBelow(graph.device, graph.devices.length, "device");
  expectBelow(graph.edgeSource, n, "source");
  expectBelow(graph.edgeTarget, n, "target");
  expectBelow(graph.edgeShape, shapes.length, "shape");
  return graph;
}

/** Where the operations run, which says more than what they ask for; null where it is not known. */
function decodePlaces(
  { places = [], operations }: GraphHeader,
  buffers: readonly DataView[],
): { readonly places: readonly string[]; readonly place: Uint16Array } | null {
  const column = buffers[13];
  if (!column || column.byteLength === 0) return null;
  return { places, place: typed(Uint16Array, column, operations, "places") };
}

/** What the message says of bodies; null where the graph has none. */
function decodeNesting(header: GraphHeader, buffers: readonly DataView[]): Nesting | null {
  const { operations: n, edges: m, bodies = [] } = header;
  if (bodies.length === 0) return null;
  const at = (index: number) => buffer(buffers, index, "graph.get");
  const nesting = {
    bodies,
    body: typed(Uint16Array, at(10), n, "bodies"),
    edgeOwner: typed(Uint32Array, at(11), m, "owners of edges"),
    edgeBack: typed(Uint8Array, at(12), m, "ways back"),
  };
  expectBelow(nesting.body, bodies.length + 1, "body");
  expectBelow(nesting.edgeOwner, n, "owner");
  bodies.forEach(({ operation }, index) => {
    expect(operation < n, `operation ${operation} of a body is not below ${n}`);
    const around = nesting.body[operation];
    expect(around <= index, `body ${index + 1} comes before body ${around} around it`);
  });
  return nesting;
}

/** The buffers of `run.history` and `run.update`. */
export function decodeColumns(names: readonly string[], buffers: readonly DataView[]): Columns {
  const steps = float64(buffer(buffers, 0, "the history"));
  const values = names.map((name, index): [string, Float64Array] => {
    const view = buffer(buffers, index + 1, "the history");
    return [name, typed(Float64Array, view, steps.length, `values of ${name}`)];
  });
  return { steps, values: new Map(values) };
}

/** The f32 buffer of an overlay's channel, one number for each operation. */
export function decodeChannel(view: DataView, operations: number): Float32Array {
  return typed(Float32Array, view, operations, "values of a channel");
}

/** The four buffers of a `tap` notification. */
export function decodeTap(buffers: readonly DataView[]): {
  readonly values: Float32Array;
  readonly edges: Float32Array;
  readonly steps: Float64Array;
  readonly history: Float32Array;
} {
  const at = (index: number) => buffer(buffers, index, "tap");
  const steps = float64(at(2));
  return {
    values: float32(at(0)),
    edges: float32(at(1)),
    steps,
    history: typed(Float32Array, at(3), steps.length, "samples"),
  };
}

export function float32(view: DataView): Float32Array {
  return typed(Float32Array, view, null, "numbers");
}

export function float64(view: DataView): Float64Array {
  return typed(Float64Array, view, null, "numbers");
}

/** A number that JSON may have had to spell. */
export function toNumber(value: WireNumber | null | undefined): number {
  if (typeof value === "number") return value;
  return value === "Infinity" ? Infinity : value === "-Infinity" ? -Infinity : NaN;
}

/** A number as JSON carries it. */
export function toWire(value: number): WireNumber {
  return Number.isFinite(value) ? value : (String(value) as WireNumber);
}

interface TypedArrayType<Type> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): Type;
}

/**
 * A view of the buffer, or a copy where a message left it unaligned. Numbers on the wire are
 * little-endian, and so is everything that runs a browser.
 */
function typed<Type>(
  type: TypedArrayType<Type>,
  view: DataView,
  length: number | null,
  what: string,
): Type {
  const size = type.BYTES_PER_ELEMENT;
  const count = length ?? Math.floor(view.byteLength / size);
  const fits = view.byteLength === count * size;
  expect(fits, `${view.byteLength} bytes are no ${count} ${what} of ${size} bytes each`);
  const whole = view.buffer as ArrayBuffer;
  if (view.byteOffset % size === 0) return new type(whole, view.byteOffset, count);
  const copy = whole.slice(view.byteOffset, view.byteOffset + view.byteLength);
  return new type(copy, 0, count);
}

function buffer(buffers: readonly DataView[], index: number, what: string): DataView {
  const found = buffers[index];
  if (!found) throw new ProtocolError(Code.unreadable, `Buffer ${index} of ${what} is missing.`);
  return found;
}

function expectBelow(indices: ArrayLike<number>, limit: number, what: string): void {
  for (let position = 0; position < indices.length; position++) {
    // The text is made only when it is needed: there are a hundred thousand edges.
    if (indices[position] >= limit) {
      expect(false, `${what} ${indices[position]} at ${position} is not below ${limit}`);
    }
  }
}

function expect(condition: boolean, complaint: string): asserts condition {
  if (!condition) {
    throw new ProtocolError(Code.unreadable, `The kernel's message cannot be read: ${complaint}.`);
  }
}
