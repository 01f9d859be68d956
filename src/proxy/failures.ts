/** Every way in which an upstream can fail a request: what the client gets, and what people are told. */
import type { ResponseFault } from '../http/response-faults.ts';

interface Failure {
  readonly status: 502 | 503 | 504;
  /** After "the upstream …". */
  readonly text: string;
}

export const FAILURES = {
  nameUnknown: { status: 502, text: 'has a name that cannot be looked up' },
  connectFailed: { status: 502, text: 'refuses connections' },
  connectTimeout: { status: 504, text: 'took too long to accept a connection' },
  reset: { status: 502, text: 'broke the connection' },
  ended: { status: 502, text: 'closed the connection before its answer was complete' },
  answerInvalid: { status: 502, text: 'sent an invalid answer' },
  firstByteTimeout: { status: 504, text: 'took too long to answer' },
  idleTimeout: { status: 504, text: 'stopped in the middle' },
  noneHealthy: { status: 503, text: 'is unhealthy, and so are all others' },
  busy: { status: 503, text: 'has too many requests' },
  contentNotKept: {
    status: 503,
    text: 'must be told the length of the content, which could not be kept until it was known',
  },
} as const satisfies Record<string, Failure>;

export type FailureReason = keyof typeof FAILURES;

/** One failure, for logs. */
export interface ProxyFailure {
  readonly proxy: string;
  /** The upstream's URL; '' if there was none. */
  readonly upstream: string;
  readonly reason: FailureReason;
  /** The error's code, or what is wrong with the answer. */
  readonly detail: string;
  readonly method: string;
  readonly target: string;
  /** What happened then: another attempt, an answer with that status, or the connection was cut off. */
  readonly outcome: 'retried' | 'cut off' | 502 | 503 | 504;
}

/** How a connection to an upstream has failed. */
export interface Broken {
  readonly reason: FailureReason;
  readonly detail: string;
  /** Nothing of an answer has come. */
  readonly isUnanswered: boolean;
}

export function faultOf(fault: ResponseFault): FailureReason {
  return fault === 'endedInHead' || fault === 'endedInContent' ? 'ended' : 'answerInvalid';
}

/** One line for people. */
export function describeFailure(failure: ProxyFailure): string {
  const { proxy, upstream, reason, detail, method, target, outcome } = failure;
  const whom = upstream === '' ? proxy : upstream;
  const why = detail === '' ? '' : ` (${detail})`;
  return `${whom} ${FAILURES[reason].text}${why}: ${method} ${target}: ${outcome}`;
}
