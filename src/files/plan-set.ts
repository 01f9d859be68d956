/** Prepared answers for one representation, so that the most frequent requests cost only a lookup. */
import type { Validators } from '../content/conditional.ts';
import { parseHttpDate } from '../content/http-date.ts';
import { emptyPlan, type FieldList, FilePlan } from './file-plan.ts';
import { FileSlices } from './open-file.ts';
import type { Representation } from './representation.ts';

/** What an answer says beyond the file itself. Pass the same object for equal answers: prepared answers are keyed by it. */
export interface FileStyle {
  /** The Content-Type. */
  readonly type: string;
  /** Further fields. They replace ours of the same name. */
  readonly fields: FieldList;
}

/** Fields that a 304 omits (RFC 9110 §15.4.5): the client already has them. */
const OF_CONTENT: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'last-modified',
  'accept-ranges',
]);

export class PlanSet implements Validators {
  readonly style: FileStyle;
  /** The app's own, if it sets one. */
  readonly etag: string;
  readonly lastModified: number;
  /** Whether the answer depends on Accept-Encoding. */
  readonly isNegotiated: boolean;
  readonly #representation: Representation;
  #fields: FieldList | null = null;
  #get: FilePlan | null = null;
  #head: FilePlan | null = null;
  #notModified: FilePlan | null = null;

  constructor(representation: Representation, style: FileStyle, isNegotiated: boolean) {
    this.#representation = representation;
    this.style = style;
    this.isNegotiated = isNegotiated;
    this.etag = valueIn(style.fields, 'etag') ?? representation.etag;
    const date = valueIn(style.fields, 'last-modified');
    this.lastModified = (date === null ? null : parseHttpDate(date)) ?? representation.lastModified;
  }

  /** The fields of a 200. */
  get fields(): FieldList {
    this.#fields ??= fieldsOf(this.#representation, this.style, this.isNegotiated);
    return this.#fields;
  }

  get(): FilePlan {
    const { body, file, size } = this.#representation;
    if (this.#get !== null) return this.#get;
    if (body !== null) {
      this.#get = new FilePlan(200, this.fields, size, body);
      return this.#get;
    }
    if (file === null) throw new Error('a representation has neither body nor file');
    return new FilePlan(200, this.fields, size, new FileSlices(file, [{ start: 0, end: size - 1 }], size));
  }

  head(): FilePlan {
    this.#head ??= new FilePlan(200, this.fields, this.#representation.size, null);
    return this.#head;
  }

  notModified(): FilePlan {
    this.#notModified ??= new FilePlan(
      304,
      this.fields.filter(([name]) => !OF_CONTENT.has(name.toLowerCase())),
      null,
      null,
      this.head(),
    );
    return this.#notModified;
  }

  preconditionFailed(): FilePlan {
    return emptyPlan(412, [['ETag', this.etag]]);
  }
}

function fieldsOf(representation: Representation, style: FileStyle, isNegotiated: boolean): FieldList {
  const own: [string, string][] = [['Content-Type', style.type]];
  if (representation.coding !== 'identity') own.push(['Content-Encoding', representation.coding]);
  own.push(
    ['ETag', representation.etag],
    ['Last-Modified', representation.lastModifiedText],
    ['Accept-Ranges', 'bytes'],
  );
  if (isNegotiated) own.push(['Vary', 'Accept-Encoding']);
  if (style.fields.length === 0) return own;
  const taken = new Set(style.fields.map(([name]) => name.toLowerCase()));
  // The app's Vary does not replace ours: the answer still depends on Accept-Encoding.
  return [...own.filter(([name]) => name === 'Vary' || !taken.has(name.toLowerCase())), ...style.fields];
}

function valueIn(fields: FieldList, lowerName: string): string | null {
  return fields.find(([name]) => name.toLowerCase() === lowerName)?.[1] ?? null;
}
