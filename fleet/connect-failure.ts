/** Only the address and the reason: user, password and virtual host of the URL must not get into a log. */
export function connectFailure(error: unknown, url: string): Error {
  const { hostname, port, protocol } = new URL(url)
  const address = `${hostname}:${port || (protocol === 'amqps:' ? 5671 : 5672)}`
  return new Error(`RabbitMQ at ${address} ${reasonOf(error)}`)
}

function reasonOf(error: unknown): string {
  const { code, message = '' } = (error ?? {}) as { code?: unknown; message?: string }
  if (/access to (queue|exchange|topic|operation)/.test(message))
    return 'refuses the user a queue or an exchange: the user lacks a permission.'
  if (/ACCESS_REFUSED|ACCESS-REFUSED/.test(message)) return 'refuses the user or the password.'
  if (/NOT_ALLOWED|NOT-ALLOWED/.test(message)) return 'refuses the user the virtual host.'
  if (/Heartbeat timeout/.test(message)) return 'has sent no heartbeat.'
  if (/CONNECTION_FORCED|CONNECTION-FORCED/.test(message)) return 'has closed the connection.'
  if (/^Channel closed/.test(message)) return 'has closed the channel.'
  if (/Socket closed|Unexpected close|closed abruptly/.test(message)) return 'has ended the connection.'
  if (/ETIMEDOUT/.test(message)) return 'cannot be reached: ETIMEDOUT.'
  return typeof code === 'string' ? `cannot be reached: ${code}.` : 'has lost the connection.'
}
