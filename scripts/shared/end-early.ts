/** npm sends a signal to the program that the terminal has sent to it already. */
const SAME_SIGNAL_MS = 500

/** Aborts on the first Ctrl-C or SIGTERM. A second one ends the process at once. */
export function endEarly(): AbortSignal {
  const controller = new AbortController()
  let first: number | undefined
  const onSignal = (_name: string, number: number) => {
    first ??= performance.now()
    if (performance.now() - first > SAME_SIGNAL_MS) process.exit(128 + number)
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return controller.signal
}
