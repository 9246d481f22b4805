// What piscina runs in its thread.
export default function echo(input) {
  return input
}
