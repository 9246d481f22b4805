import type { RequestListener } from 'node:http'

/**
 * Answers `Expect: 100-continue` when a route begins to read the body. Node would ask for the body at once; here, a client whose
 * request is refused by its headers never sends the body.
 */
export function continueWhenRead(handler: RequestListener): RequestListener {
  return (req, res) => {
    const { shouldKeepAlive } = res
    // After a final answer without "100 Continue", a client may send the body or not, and the bytes of a body could be taken
    // for the next request. So the connection ends with this answer.
    res.shouldKeepAlive = false
    req.once('resume', () => {
      // After the answer, Node itself reads the rest of the body.
      if (res.headersSent) return
      res.shouldKeepAlive = shouldKeepAlive
      res.writeContinue()
    })
    return handler(req, res)
  }
}
