/** What a worker serves, as data: it is sent to threads, which cannot be given functions. */

/** Given in addition to the fields that the server makes. */
export type FieldPairs = readonly (readonly [name: string, value: string])[];

export type AppSource =
  /** The same answer to every request. */
  | { readonly kind: 'respond'; readonly status: number; readonly fields: FieldPairs; readonly content: Uint8Array }
  /** The request itself, as JSON. */
  | { readonly kind: 'echo'; readonly status: number; readonly fields: FieldPairs };

/** What the executable serves unless told otherwise. */
export const VRYPT: AppSource = {
  kind: 'respond',
  status: 200,
  fields: [['Content-Type', 'text/plain']],
  content: new TextEncoder().encode('Vrypt'),
};
