import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { markPicture } from '../shared/mark-picture.ts'
import type { Picture } from '../shared/picture.ts'

export interface PictureServer {
  readonly port: number
  /** The address of a picture. Each mark makes a picture with other bytes and the same pixels. */
  urlOf(picture: Picture, mark: string | undefined): string
  /** an address under which there is nothing */
  readonly missing: string
  close(): Promise<void>
}

/** The server from which the service under test downloads pictures. */
export async function servePictures(pictures: readonly Picture[]): Promise<PictureServer> {
  const server = createServer((request, response) => answer(pictures, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  return {
    port,
    urlOf: (picture, mark = '') => `${origin}/${pictures.indexOf(picture)}/${mark}`,
    missing: `${origin}/missing`,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function answer(pictures: readonly Picture[], request: IncomingMessage, response: ServerResponse): void {
  const [, index = '', mark = ''] = /^\/(\d+)\/([\w-]*)$/.exec(request.url ?? '') ?? []
  const picture = pictures[Number(index || Number.NaN)]
  if (picture === undefined) {
    response.writeHead(404).end()
    return
  }
  const bytes = mark === '' ? picture.bytes : markPicture(picture.bytes, mark)
  response.writeHead(200, { 'content-type': picture.type, 'content-length': bytes.length }).end(bytes)
}
