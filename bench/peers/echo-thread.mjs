// piscina runs this function in a thread, and finds it by the name given in the bench.
export function echo(input) {
  return input
}
