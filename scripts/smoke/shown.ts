/** A text as messages show it. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** What a program said last, in a line: of Node's report of an error its message and its place. */
export function complaint(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const message = lines.find((line) => /^(Uncaught )?\w*(Error|Exception)\b.*: /.test(line));
  const [first = ''] = lines;
  if (message === undefined) return first;
  const place = /^\S+:\d+$/.test(first) ? ` (${first})` : '';
  // The kernel is asked to run what only the emulator can.
  const hint = /\bENOEXEC\b/.test(message)
    ? '; an emulated program starts itself only where binfmt_misc knows the emulator'
    : '';
  return message + place + hint;
}
