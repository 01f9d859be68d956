/**
 * The notation of bytes in wire cases. Every byte is visible, whatever an editor does to the document; lines are joined without
 * anything between them.
 *
 *     \r \n \t \\ \{ \" \xHH     a byte
 *     {9000 x "a"}               a repetition, with the same escapes between the quotes
 *     {answers 1}                the client waits until that many responses have arrived, including interim ones
 *     {end}                      the client half-closes (FIN)
 */
import { Buffer } from 'node:buffer';

/** What a client sends at once, and how many responses it waits for first. */
export interface Part {
  readonly afterAnswers: number;
  readonly bytes: Buffer;
}

export interface Bytes {
  readonly parts: readonly Part[];
  /** The client half-closes at the end. */
  readonly ends: boolean;
}

const ESCAPE = /^\\(?:([rnt\\{"])|x([0-9a-f]{2}))/;
const ESCAPED: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '\\': '\\', '{': '{', '"': '"' };
const REPETITION = /^\{([1-9]\d{0,6}) x "((?:[^"\\]|\\.)+)"\}/;
const ANSWERS = /^\{answers ([1-9])\}/;
const END = '{end}';

/** Throws an Error that says what is wrong, and where. */
export function readBytes(lines: readonly string[]): Bytes {
  const parts: Part[] = [];
  let ends = false;
  let afterAnswers = 0;
  let text = '';
  const finishPart = () => {
    parts.push({ afterAnswers, bytes: Buffer.from(text, 'latin1') });
    text = '';
  };
  for (const line of lines) {
    if (/[^\x20-\x7e]/.test(line)) throw new Error(`other bytes than printable ASCII must be written \\xHH: ${line}`);
    if (line.endsWith(' ')) throw new Error(`a space at the end of a line must be written \\x20: ${line}`);
    let rest = line;
    while (rest !== '') {
      if (ends) throw new Error(`nothing can follow ${END}: ${rest}`);
      const repetition = REPETITION.exec(rest);
      const answers = ANSWERS.exec(rest);
      if (rest.startsWith(END)) {
        ends = true;
        rest = rest.slice(END.length);
      } else if (repetition !== null) {
        text += bytesOf(repetition[2] as string).repeat(Number(repetition[1]));
        rest = rest.slice(repetition[0].length);
      } else if (answers !== null) {
        finishPart();
        if (Number(answers[1]) <= afterAnswers) throw new Error(`the number of answers must grow: ${rest}`);
        afterAnswers = Number(answers[1]);
        rest = rest.slice(answers[0].length);
      } else {
        const [byte, length] = readByte(rest);
        text += byte;
        rest = rest.slice(length);
      }
    }
  }
  finishPart();
  return { parts, ends };
}

function bytesOf(escaped: string): string {
  let text = '';
  let rest = escaped;
  while (rest !== '') {
    const [byte, length] = readByte(rest);
    text += byte;
    rest = rest.slice(length);
  }
  return text;
}

function readByte(rest: string): [byte: string, length: number] {
  if (rest[0] === '{') throw new Error(`a brace must be written \\{ or open a known form: ${rest}`);
  if (rest[0] !== '\\') return [rest[0] as string, 1];
  const match = ESCAPE.exec(rest);
  if (match === null) throw new Error(`an escape must be one of \\r \\n \\t \\\\ \\{ \\" \\xhh: ${rest}`);
  const [all, letter, hex] = match;
  return [
    letter === undefined ? String.fromCharCode(Number.parseInt(hex as string, 16)) : (ESCAPED[letter] as string),
    all.length,
  ];
}
