/** The core: what a warehouse is about, and the port through which it stores things. Knows neither HTTP nor SQL. */
export interface Item {
  readonly sku: string;
  readonly quantity: number;
}

/** The port. An adapter makes each call atomic. */
export interface Shelves {
  find(sku: string): Promise<Item | null>;
  /** Adds, or takes away; null if less than nothing would be left. */
  change(sku: string, by: number): Promise<Item | null>;
  close(): Promise<void>;
}

export class OutOfStock extends Error {}

export class Warehouse {
  readonly #shelves: Shelves;

  constructor(shelves: Shelves) {
    this.#shelves = shelves;
  }

  async receive(sku: string, quantity: number): Promise<Item> {
    return (await this.#shelves.change(sku, checked(quantity))) as Item;
  }

  async ship(sku: string, quantity: number): Promise<Item> {
    const item = await this.#shelves.change(sku, -checked(quantity));
    if (item === null) throw new OutOfStock(`there are fewer than ${quantity} of ${sku}`);
    return item;
  }
}

function checked(quantity: number): number {
  if (Number.isInteger(quantity) && quantity > 0) return quantity;
  throw new RangeError(`quantity must be a whole number from 1, got ${quantity}`);
}
