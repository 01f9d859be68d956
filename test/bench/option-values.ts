/** Values of the benchmarks' options. Each throws an Error with a message for the user. */

export function chosen(
  name: string,
  text: string | undefined,
  all: readonly string[],
  otherwise: readonly string[] = all,
): readonly string[] {
  if (text === undefined) return otherwise;
  const list = text.split(',');
  const wrong = list.find((item) => !all.includes(item));
  if (wrong !== undefined)
    throw new Error(`--${name} must name some of ${all.join(', ')}, got ${JSON.stringify(wrong)}`);
  // In the order of the rows, without duplicates.
  return all.filter((item) => list.includes(item));
}

export function wholeNumber(
  name: string,
  text: string | undefined,
  otherwise: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return otherwise;
  const value = /^-?\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`);
}

export function coresOf(text = '0,1'): { serverCore: string; clientCore: string } {
  const [serverCore = '', clientCore = ''] = text.split(',');
  if (/^\d+$/.test(serverCore) && /^\d+$/.test(clientCore)) return { serverCore, clientCore };
  throw new Error(`--cores must be two core numbers such as 0,1, got ${JSON.stringify(text)}`);
}
