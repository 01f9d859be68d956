/**
 * Texts inside a JavaScript file, which cost a program that does not ask for them next to nothing. They stand in comments, and a function
 * gives its own source away. V8 passes over a comment, but copies a string three times before anybody uses it
 * and notes things about each function in code. For 100 KB that was 0.3 MiB and 3 ms of every start.
 */

/** Would end the comment; esbuild leaves no control characters in its output. */
const END = '*/';
const WRITTEN_AS = '*\x01/';

/** A statement that declares `bundled`, an object with the texts by name. */
export function textsInside(texts: Readonly<Record<string, string>>): string {
  const getters = Object.entries(texts).map(([name, text]) => {
    if (text.includes('\x01')) throw new RangeError(`the text ${name} must not contain U+0001`);
    return `get ${name}(){return this.read(()=>{/*${text.replaceAll(END, WRITTEN_AS)}*/})}`;
  });
  const read = 'read(f){return String(f).slice(7,-3).replaceAll("*\\x01/","*/")}';
  return `const bundled={${[...getters, read].join(',\n')}};`;
}
