import type { RequestListener } from 'node:http'

/**
 * For clients that send `Expect: 100-continue` and wait. Node would ask for the body at once; here the body is asked for when
 * something begins to read it, so that a request that is refused by its headers never sends its body.
 */
export function continueWhenRead(handler: RequestListener): RequestListener {
  return (req, res) => {
    const { shouldKeepAlive } = res
    // A final answer instead of "100 Continue" leaves open whether the body still comes: its bytes could be taken for the
    // next request. So the connection ends with that answer.
    res.shouldKeepAlive = false
    req.once('resume', () => {
      // Node itself reads what is left of a body behind the answer.
      if (res.headersSent) return
      res.shouldKeepAlive = shouldKeepAlive
      res.writeContinue()
    })
    return handler(req, res)
  }
}
