// Enums and decorators have a meaning at run time: this is compiled, and its stacks are mapped.
export enum Kind {
  One = 1,
  Two,
}

export function fail(kind: Kind): never {
  throw new Error(`of kind ${kind}`);
}
