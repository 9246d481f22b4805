/** The bare `fork` to compare with: sends every message back. */
process.on('message', (message) => process.send?.(message))
