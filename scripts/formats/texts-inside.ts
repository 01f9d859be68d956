/**
 * Texts inside a JavaScript file, which cost a program that does not ask for them next to nothing. They stand in comments, and a function
 * gives its own source away. V8 passes over a comment, but copies a string three times before anybody uses it:
 * with the worker's code, of 60 KB, that was 0.2 MiB of every start. Not for what options need, such as commander: to compile a text
 * takes 0.4 MiB more than code that is there.
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
