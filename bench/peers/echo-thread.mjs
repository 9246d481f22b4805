// What piscina runs in its thread; it finds it by the name that it is told.
export function echo(input) {
  return input
}
