/** Plans the answer with a file: method, coding, preconditions, ranges, in this order (RFC 9110 §13.2.2, §14.2). */
import { Buffer } from 'node:buffer';
import { type ConditionalRequest, evaluatePreconditions, isRangeCurrent } from '../content/conditional.ts';
import { chooseCoding, codingWeights } from '../content/negotiation.ts';
import { byteRangeParts, contentRange, parseRange } from '../content/ranges.ts';
import type { CachedFile } from './file-cache.ts';
import { emptyPlan, type FieldList, FilePlan } from './file-plan.ts';
import { FileSlices } from './open-file.ts';
import { type FileStyle, PlanSet } from './plan-set.ts';
import type { Representation } from './representation.ts';

export interface FileRequest extends ConditionalRequest {
  /**
   * Whether any field name starts with `prefix`, given in lower case; false positives are harmless. Saves six lookups of
   * fields that are rarely present.
   */
  hasFieldPrefix?(prefix: string): boolean;
}

export const METHOD_NOT_ALLOWED: FilePlan = emptyPlan(405, [['Allow', 'GET, HEAD']]);
const NOT_ACCEPTABLE = emptyPlan(406, [['Vary', 'Accept-Encoding']]);

export function planFile(
  request: FileRequest,
  file: CachedFile,
  style: FileStyle,
  now: number,
  isPrecompressed = true,
): FilePlan {
  const isHead = request.method === 'HEAD';
  if (!isHead && request.method !== 'GET') return METHOD_NOT_ALLOWED;
  const representation = representationFor(request, file, isPrecompressed);
  if (representation === null) return NOT_ACCEPTABLE;
  const isNegotiated = isPrecompressed && file.codings.length > 0;
  const plans = plansOf(representation, style, isNegotiated);

  const mayHaveConditions = request.hasFieldPrefix?.('if-') ?? true;
  if (mayHaveConditions) {
    const status = evaluatePreconditions(request, plans);
    if (status !== 0) return status === 304 ? plans.notModified() : plans.preconditionFailed();
  }
  if (isHead) return plans.head();
  const range = (request.hasFieldPrefix?.('range') ?? true) ? request.header('range') : null;
  if (range === null || (mayHaveConditions && !isRangeCurrent(request, plans, now))) return plans.get();
  return planRange(range, representation, plans);
}

function representationFor(request: FileRequest, file: CachedFile, isPrecompressed: boolean): Representation | null {
  const weights = codingWeights(request.header('accept-encoding'));
  if (!isPrecompressed || file.codings.length === 0) return weights.identity > 0 ? file.identity : null;
  const coding = chooseCoding(weights, file.codings);
  return coding === null ? null : coding === 'identity' ? file.identity : file.encoded(coding);
}

function plansOf(representation: Representation, style: FileStyle, isNegotiated: boolean): PlanSet {
  const { plans } = representation;
  if (plans !== null && plans.style === style && plans.isNegotiated === isNegotiated) return plans;
  representation.plans = new PlanSet(representation, style, isNegotiated);
  return representation.plans;
}

function planRange(value: string, representation: Representation, plans: PlanSet): FilePlan {
  const { size, body, file } = representation;
  const ranges = parseRange(value, size);
  if (ranges === 'whole') return plans.get();
  if (ranges === 'unsatisfiable') {
    return emptyPlan(416, [
      ['Content-Range', contentRange(null, size)],
      ['Accept-Ranges', 'bytes'],
      ['ETag', plans.etag],
    ]);
  }
  const [first] = ranges;
  if (first === undefined) throw new Error('no range, and not unsatisfiable');
  if (ranges.length === 1) {
    const length = first.end - first.start + 1;
    const fields: FieldList = [...plans.fields, ['Content-Range', contentRange(first, size)]];
    if (body !== null)
      return new FilePlan(206, fields, length, body.subarray(first.start, first.end + 1), plans.head());
    if (file !== null) return new FilePlan(206, fields, length, new FileSlices(file, ranges, length), plans.head());
  }
  const parts = byteRangeParts(ranges, size, plans.style.type);
  const fields = plans.fields.map(([name, one]) => [name, name === 'Content-Type' ? parts.type : one] as const);
  if (file !== null)
    return new FilePlan(206, fields, parts.length, new FileSlices(file, parts.pieces, parts.length), plans.head());
  const pieces = parts.pieces.map((piece) =>
    piece instanceof Uint8Array ? piece : (body as Buffer).subarray(piece.start, piece.end + 1),
  );
  return new FilePlan(206, fields, parts.length, Buffer.concat(pieces), plans.head());
}
