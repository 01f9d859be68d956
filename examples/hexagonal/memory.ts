/** An adapter: shelves in memory. */
import type { Item, Shelves } from './stock.ts';

export function memoryShelves(): Shelves {
  const items = new Map<string, Item>();
  return {
    find: async (sku) => items.get(sku) ?? null,
    change: async (sku, by) => {
      const quantity = (items.get(sku)?.quantity ?? 0) + by;
      if (quantity < 0) return null;
      items.set(sku, { sku, quantity });
      return { sku, quantity };
    },
    close: async () => {},
  };
}
