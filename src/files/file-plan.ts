/** What an answer with a file comes to: status, fields and content, for an engine to send. */

/** Content that is read piece by piece while it is sent. */
export interface FileSource {
  /** Of the whole content, as Content-Length says it. */
  readonly length: number;
  /**
   * Fills `buffer` with the content from `position` on, as far as there is any, and returns how many bytes that were. -1: the file
   * is not what it was any more; the connection must be cut, since neither its rest nor anything else may stand for it.
   */
  readInto(buffer: Uint8Array, position: number): number;
  /** Must be called once nobody reads on, sent or not; more than once does no harm. */
  close(): void;
}

export type FieldList = readonly (readonly [name: string, value: string])[];

/** Immutable but for `prepared`. The same object is given again as long as file and answer stay the same, unless it has a source. */
export class FilePlan {
  readonly status: number;
  /** All but Content-Length, Date and Connection. */
  readonly fields: FieldList;
  /** Content-Length; null: the answer has no such field (304). With HEAD it is that of GET. */
  readonly length: number | null;
  /** Null: nothing is sent after the head. Whoever takes a plan closes its source. */
  readonly content: Uint8Array | FileSource | null;
  /** For whoever sends it: what was made of this plan and can be sent again. */
  prepared: unknown = null;

  constructor(status: number, fields: FieldList, length: number | null, content: Uint8Array | FileSource | null) {
    this.status = status;
    this.fields = fields;
    this.length = length;
    this.content = content;
  }
}

/** A plan of nothing but a head. */
export function emptyPlan(status: number, fields: FieldList = []): FilePlan {
  return new FilePlan(status, fields, 0, null);
}

export function isFileSource(content: Uint8Array | FileSource | null): content is FileSource {
  return content !== null && !(content instanceof Uint8Array);
}
