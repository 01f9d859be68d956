/**
 * A core that knows neither HTTP nor SQL, with adapters around it: in memory, or PostgreSQL. Answers Vanilla's hexagonal example.
 *
 *     node examples/hexagonal/server.ts          # in memory; with DATABASE_URL in PostgreSQL
 *     curl -d '{"quantity":5}' localhost:3000/stock/tea/receive
 */
import { type Call, json, reply, serve } from 'vrypt-server';
import { memoryShelves } from './memory.ts';
import { type Item, OutOfStock, Warehouse } from './stock.ts';

const { DATABASE_URL, PORT = '3000' } = process.env;

const server = serve({
  port: Number(PORT),
  handleSignals: true,
  start: async () => {
    const shelves =
      DATABASE_URL === undefined
        ? memoryShelves()
        : await (await import('./postgresql.ts')).postgresShelves(DATABASE_URL);
    return { shelves, warehouse: new Warehouse(shelves) };
  },
  stop: ({ shelves }) => shelves.close(),
  routes: {
    '/stock/:sku': async ({ params, state }) => found(await state.shelves.find(params['sku'] as string)),
    '/stock/:sku/receive': { POST: async (call) => found(await call.state.warehouse.receive(...(await order(call)))) },
    '/stock/:sku/ship': { POST: async (call) => found(await call.state.warehouse.ship(...(await order(call)))) },
  },
  error: (error) => {
    if (error instanceof OutOfStock) return json({ error: error.message }, 409);
    if (error instanceof RangeError) return json({ error: error.message }, 422);
    return undefined;
  },
});
server.ready.then(({ url }) => console.log(`listening on ${url}`));

function found(item: Item | null) {
  return item === null ? reply(404) : json(item);
}

async function order(call: Call<unknown>): Promise<[sku: string, quantity: number]> {
  const given = await call.body.json<{ quantity?: number } | null>(1000);
  return [call.params['sku'] as string, Number(given?.quantity)];
}
