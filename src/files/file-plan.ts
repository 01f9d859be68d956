/** The result of planning an answer with a file: status, fields and content, ready for the engine to send. */

/** Content that is read in pieces while it is sent. */
export interface FileSource {
  /** Of the whole content: the value of Content-Length. */
  readonly length: number;
  /**
   * Fills `buffer` with content from `position` and returns the number of bytes; 0 at the end. -1: the file has changed, so cut
   * the connection. The rest of the content no longer exists, and padding would corrupt the file at the client.
   */
  readInto(buffer: Uint8Array, position: number): number;
  /** Must be called when sending ends for any reason. Repeated calls are harmless. */
  close(): void;
}

export type FieldList = readonly (readonly [name: string, value: string])[];

/** Immutable except for `prepared`. The same request for an unchanged file gets the same object, unless it has a source. */
export class FilePlan {
  readonly status: number;
  /** All except Content-Length, Date and Connection. */
  readonly fields: FieldList;
  /** The value of Content-Length, for HEAD that of GET; null if the field must be absent (304). */
  readonly length: number | null;
  /** Null: send only the head. If it is a source, the receiver of the plan owns it. */
  readonly content: Uint8Array | FileSource | null;
  /** Of an answer that stands for another one, 206 or 304: the head of that; null: it is itself. */
  readonly whole: FilePlan | null;
  /** A slot for the sender: bytes it prepared for this plan and can send again. */
  prepared: unknown = null;

  constructor(
    status: number,
    fields: FieldList,
    length: number | null,
    content: Uint8Array | FileSource | null,
    whole: FilePlan | null = null,
  ) {
    this.whole = whole;
    this.status = status;
    this.fields = fields;
    this.length = length;
    this.content = content;
  }
}

/** A plan without content. */
export function emptyPlan(status: number, fields: FieldList = []): FilePlan {
  return new FilePlan(status, fields, 0, null);
}

export function isFileSource(content: Uint8Array | FileSource | null): content is FileSource {
  return content !== null && !(content instanceof Uint8Array);
}
