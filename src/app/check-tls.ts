/** What `tls` must look like. Whether certificates are any good is found when they are loaded. */
import { BOOLEAN, either, listOf, oneOf, type Shape, TEXT, type ValueRule, wholeNumber } from '../rules/shape.ts';

const PEM: ValueRule = {
  words: 'PEM, as a string or bytes',
  holds: (value) => TEXT.holds(value) || value instanceof Uint8Array,
  isSecret: true,
};
const NAMES = listOf(TEXT, 'a list of names');

const CERTIFICATE_RULES: Shape['rules'] = {
  cert: PEM,
  key: PEM,
  certFile: TEXT,
  keyFile: TEXT,
  passphrase: { words: 'a string', holds: (value) => typeof value === 'string', isSecret: true },
  hosts: NAMES,
};

const OTHERS: Shape['others'] = { serverName: 'use hosts', dhParamsFile: 'only ECDHE is used' };

export const TLS_CERTIFICATE_SHAPE: Shape = { rules: CERTIFICATE_RULES, others: OTHERS };

export const TLS_SHAPE: Shape = {
  rules: {
    ...CERTIFICATE_RULES,
    certificates: { words: 'a list of certificates', holds: Array.isArray },
    selfSigned: either(BOOLEAN, NAMES),
    minVersion: oneOf('TLSv1.2', 'TLSv1.3'),
    ciphers: TEXT,
    ticketRotationMs: wholeNumber(1),
  },
  others: OTHERS,
};
