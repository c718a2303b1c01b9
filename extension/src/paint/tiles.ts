import type { Camera, Size } from "./camera.js";
import type { Context, Frame, Painting } from "./frame.js";

/** Side of a tile in CSS pixels. */
const SIDE = 256;
/** Tiles kept beyond those that are seen, so that going back costs nothing. */
const SPARE = 40;
/** Room around the scene for borders and stacked cards, in CSS pixels. */
const MARGIN = 8;

/** Paints the layers of the picture within a frame. */
export interface TilePainter {
  /** All but text. */
  base(context: Context, frame: Frame): Painting;
  /** Text, on a layer of its own so that live colours go between the two. */
  text(context: Context, frame: Frame): Painting;
  readonly background: string;
}

/** Units of a Painting between two looks at the clock. */
const FLUSH = 300;

interface Tile {
  readonly column: number;
  readonly row: number;
  readonly base: HTMLCanvasElement;
  text: HTMLCanvasElement | null;
  painting: Painting | null;
  done: boolean;
  used: number;
}

/** The tiles of one zoom. */
interface Sheet {
  readonly zoom: number;
  readonly tiles: Map<string, Tile>;
}

/**
 * The static layer, cached in tiles: moving the picture only copies them, and what comes into view
 * is painted a little each frame. After a zoom the old tiles stand in, stretched, until there are
 * new ones.
 */
export class Tiles {
  #sheet: Sheet | null = null;
  #stale: Sheet | null = null;
  #painter: TilePainter | null = null;
  #scene: Size = { width: 0, height: 0 };
  #spare: HTMLCanvasElement[] = [];
  #clock = 0;
  #ratio = 1;

  /** Paint something else from now on; `keep` shows the old picture until the new one is there. */
  setPainter(painter: TilePainter, scene: Size, keep: boolean): void {
    this.#painter = painter;
    this.#scene = scene;
    this.#retire(keep);
  }

  /** Use tiles of this zoom from now on. */
  setZoom(zoom: number, ratio: number): void {
    if (this.#ratio !== ratio) {
      this.#ratio = ratio;
      this.#retire(false);
    }
    if (this.#sheet !== null && this.#sheet.zoom !== zoom) this.#retire(true);
    this.#sheet ??= { zoom, tiles: new Map() };
  }

  get zoom(): number | null {
    return this.#sheet?.zoom ?? null;
  }

  dispose(): void {
    this.#sheet = this.#stale = this.#painter = null;
    this.#spare = [];
  }

  /** Paint for some milliseconds, nearest to the middle first; true when all is painted. */
  work(camera: Camera, stage: Size, milliseconds: number): boolean {
    const painter = this.#painter;
    if (painter === null || this.#sheet === null) return true;
    const end = performance.now() + milliseconds;
    for (const tile of this.#needed(camera, stage)) {
      if (tile.done) continue;
      tile.painting ??= this.#paint(tile, painter, this.#sheet.zoom);
      if (!runUntil(tile, end)) return false;
    }
    this.#releaseStale();
    return true;
  }

  /** Whether all that is seen is painted. */
  isComplete(camera: Camera, stage: Size): boolean {
    return this.#needed(camera, stage).every((tile) => tile.done);
  }

  drawBase(context: Context, camera: Camera, stage: Size): void {
    this.#draw(context, camera, stage, (tile) => tile.base);
  }

  drawText(context: Context, camera: Camera, stage: Size): void {
    this.#draw(context, camera, stage, (tile) => tile.text);
  }

  #draw(
    context: Context,
    camera: Camera,
    stage: Size,
    layer: (tile: Tile) => HTMLCanvasElement | null,
  ): void {
    if (this.#stale !== null) this.#drawSheet(context, this.#stale, camera, stage, layer);
    if (this.#sheet !== null) this.#drawSheet(context, this.#sheet, camera, stage, layer);
  }

  #drawSheet(
    context: Context,
    sheet: Sheet,
    camera: Camera,
    stage: Size,
    layer: (tile: Tile) => HTMLCanvasElement | null,
  ): void {
    const ratio = this.#ratio;
    const stretch = (camera.zoom / sheet.zoom) * ratio;
    const left = Math.round(camera.x * ratio);
    const top = Math.round(camera.y * ratio);
    const edge = (index: number, offset: number): number =>
      offset + Math.round(index * SIDE * stretch);
    for (const tile of sheet.tiles.values()) {
      const canvas = tile.done ? layer(tile) : null;
      if (canvas === null) continue;
      const x = edge(tile.column, left);
      const y = edge(tile.row, top);
      const right = edge(tile.column + 1, left);
      const bottom = edge(tile.row + 1, top);
      if (right <= 0 || bottom <= 0 || x >= stage.width * ratio || y >= stage.height * ratio)
        continue;
      // The plain form of drawImage copies, the other one filters.
      if (right - x === canvas.width && bottom - y === canvas.height)
        context.drawImage(canvas, x, y);
      else context.drawImage(canvas, x, y, right - x, bottom - y);
    }
  }

  /** The tiles that the stage shows, made if need be, nearest to its middle first. */
  #needed(camera: Camera, stage: Size): Tile[] {
    const sheet = this.#sheet;
    if (sheet === null) return [];
    const shrink = sheet.zoom / camera.zoom;
    const span = (offset: number, room: number, length: number): [number, number] => {
      const low = Math.max(-MARGIN, -offset * shrink);
      const high = Math.min(length * sheet.zoom + MARGIN, (room - offset) * shrink);
      return [Math.floor(low / SIDE), Math.floor(high / SIDE)];
    };
    const [left, right] = span(camera.x, stage.width, this.#scene.width);
    const [top, bottom] = span(camera.y, stage.height, this.#scene.height);
    const now = ++this.#clock;
    const needed: Tile[] = [];
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const tile = this.#tile(sheet, column, row);
        tile.used = now;
        needed.push(tile);
      }
    }
    const middleX = (left + right) / 2;
    const middleY = (top + bottom) / 2;
    const distance = (tile: Tile): number =>
      Math.abs(tile.column - middleX) + Math.abs(tile.row - middleY);
    needed.sort((one, other) => distance(one) - distance(other));
    this.#trim(sheet, needed.length + SPARE);
    return needed;
  }

  #tile(sheet: Sheet, column: number, row: number): Tile {
    const key = `${column} ${row}`;
    let tile = sheet.tiles.get(key);
    if (!tile) {
      const base = this.#canvas();
      tile = { column, row, base, text: null, painting: null, done: false, used: 0 };
      sheet.tiles.set(key, tile);
    }
    return tile;
  }

  *#paint(tile: Tile, painter: TilePainter, zoom: number): Painting {
    const side = SIDE * this.#ratio;
    const frame: Frame = {
      left: tile.column * side,
      top: tile.row * side,
      width: side,
      height: side,
      scale: zoom * this.#ratio,
      ratio: this.#ratio,
    };
    const base = contextOf(tile.base);
    base.globalAlpha = 1;
    base.fillStyle = painter.background;
    base.fillRect(0, 0, side, side);
    yield* painter.base(base, frame);
    tile.text = null;
    const canvas = this.#canvas();
    const text = contextOf(canvas);
    text.clearRect(0, 0, side, side);
    yield* painter.text(text, frame);
    tile.text = canvas;
  }

  #canvas(): HTMLCanvasElement {
    const side = Math.round(SIDE * this.#ratio);
    const canvas = this.#spare.pop() ?? document.createElement("canvas");
    if (canvas.width !== side) canvas.width = canvas.height = side;
    return canvas;
  }

  /** The sheet becomes the stand-in for the next one. */
  #retire(keep: boolean): void {
    const sheet = this.#sheet;
    this.#sheet = null;
    const hasContent = sheet !== null && [...sheet.tiles.values()].some((tile) => tile.done);
    if (keep && !hasContent) return;
    this.#releaseStale();
    if (keep) this.#stale = sheet;
    else this.#release(sheet);
  }

  #releaseStale(): void {
    this.#release(this.#stale);
    this.#stale = null;
  }

  #release(sheet: Sheet | null): void {
    for (const tile of sheet?.tiles.values() ?? []) {
      this.#spare.push(tile.base);
      if (tile.text) this.#spare.push(tile.text);
    }
    this.#spare.length = Math.min(this.#spare.length, SPARE);
  }

  #trim(sheet: Sheet, most: number): void {
    if (sheet.tiles.size <= most + SPARE) return;
    const oldest = [...sheet.tiles.entries()].sort(([, one], [, other]) => one.used - other.used);
    for (const [key, tile] of oldest.slice(0, sheet.tiles.size - most)) {
      sheet.tiles.delete(key);
      this.#release({ zoom: 0, tiles: new Map([[key, tile]]) });
    }
  }
}

/** Paint a tile until the clock says so; true when it is done. */
function runUntil(tile: Tile, end: number): boolean {
  const { painting } = tile;
  if (painting === null) return true;
  let units = 0;
  for (;;) {
    const step = painting.next();
    units += step.done ? 0 : step.value;
    if (step.done || units > FLUSH) {
      // A canvas only notes what it is told. Reading makes it draw, now that the clock is watched.
      contextOf(tile.text ?? tile.base).getImageData(0, 0, 1, 1);
      units = 0;
    }
    if (step.done) {
      tile.painting = null;
      tile.done = true;
      return true;
    }
    if (units === 0 && performance.now() > end) return false;
  }
}

function contextOf(canvas: HTMLCanvasElement): Context {
  // Kept in memory, not in a graphics card: it is read after painting, see runUntil.
  return canvas.getContext("2d", { willReadFrequently: true }) as Context;
}
