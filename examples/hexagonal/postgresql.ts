/** An adapter: shelves in PostgreSQL, for any number of servers. */
import postgres from 'postgres';
import type { Item, Shelves } from './stock.ts';

export async function postgresShelves(url: string): Promise<Shelves> {
  const sql = postgres(url, { onnotice: () => {} });
  await sql`create table if not exists shelves (sku text primary key, quantity int not null check (quantity >= 0))`;
  return {
    find: async (sku) => (await sql<Item[]>`select sku, quantity from shelves where sku = ${sku}`)[0] ?? null,
    change: async (sku, by) => {
      const [item] =
        by > 0
          ? await sql<Item[]>`insert into shelves values (${sku}, ${by})
              on conflict (sku) do update set quantity = shelves.quantity + ${by} returning sku, quantity`
          : await sql<Item[]>`update shelves set quantity = quantity + ${by}
              where sku = ${sku} and quantity + ${by} >= 0 returning sku, quantity`;
      return item ?? null;
    },
    close: () => sql.end({ timeout: 1 }),
  };
}
