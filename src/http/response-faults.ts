/** Every reason for not believing a response: those that requests can have too, and those of responses alone. */
import { REFUSALS, type RefusalReason } from './refusals.ts';

const RESPONSE_FAULTS = {
  statusLineInvalid: 'it does not begin with a status line',
  statusLineTooLong: 'the status line is too long',
  responseVersion: 'it is neither HTTP/1.0 nor HTTP/1.1',
  statusInvalid: 'the status is not a number from 100 to 599', // RFC 9110 §15
  contentNotAllowed: 'a status that has no content comes with a length or a coding', // RFC 9110 §8.6, RFC 9112 §6.1
  upgradeNotAsked: 'the protocol is switched, but that was not asked for', // RFC 9110 §7.8
  upgradeInvalid: 'the protocol is switched without a field Upgrade', // RFC 9110 §15.2.2
  endedInHead: 'the connection ended within the head',
  endedInContent: 'the connection ended within the content',
} as const;

export type ResponseFault = RefusalReason | keyof typeof RESPONSE_FAULTS;

/** What is wrong, for people. */
export function describeFault(fault: ResponseFault): string {
  return fault in RESPONSE_FAULTS
    ? RESPONSE_FAULTS[fault as keyof typeof RESPONSE_FAULTS]
    : REFUSALS[fault as RefusalReason].text;
}
