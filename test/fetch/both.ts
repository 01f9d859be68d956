/** The classes that the same tests run against: ours, and Node's to show that a test asks for standard behavior. */
import * as ours from '../../src/fetch/index.ts';

export interface Classes {
  readonly Headers: typeof globalThis.Headers;
  readonly Request: typeof globalThis.Request;
  readonly Response: typeof globalThis.Response;
}

const { Headers, Request, Response } = globalThis;
export const NODES: Classes = { Headers, Request, Response };
export const OURS = ours as unknown as Classes;

/** Node's classes are those of undici, which older lines do not update. */
export const NODE_MAJOR = Number.parseInt(process.versions.node, 10);

export const BOTH: readonly { whose: string; classes: Classes }[] = [
  { whose: 'ours', classes: OURS },
  { whose: "Node's", classes: NODES },
];
