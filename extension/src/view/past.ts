/** How far back one can go. */
const MOST = 100;

/** Where one has been, as a browser keeps it: going somewhere new forgets what lay ahead. */
export class Past<Place> {
  #places: Place[] = [];
  #at = -1;

  get canGoBack(): boolean {
    return this.#at > 0;
  }

  get canGoForward(): boolean {
    return this.#at < this.#places.length - 1;
  }

  visit(place: Place): void {
    this.#places = this.#places.slice(0, this.#at + 1);
    this.#places.push(place);
    if (this.#places.length > MOST) this.#places.shift();
    this.#at = this.#places.length - 1;
  }

  /** What is known of the present place has changed: where one was looking when one left it. */
  amend(place: Place): void {
    if (this.#at >= 0) this.#places[this.#at] = place;
  }

  back(): Place | null {
    return this.canGoBack ? this.#places[--this.#at] : null;
  }

  forward(): Place | null {
    return this.canGoForward ? this.#places[++this.#at] : null;
  }

  clear(): void {
    this.#places = [];
    this.#at = -1;
  }
}
