export function f() {
  throw new Error('from err');
}
