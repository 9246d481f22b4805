/** The bare `fork` to compare with: sends back what comes. */
process.on('message', (message) => process.send?.(message))
