import sharp from 'sharp'

/** AVIF files written box by box, around the data of one small picture that is encoded as usual. */

interface Item {
  readonly id: number
  readonly type: string
  /** where the content is: in the data of the picture, or in bytes of its own */
  readonly content: 'picture' | Buffer
  /** what the item is made of, by the numbers of other items */
  readonly from?: readonly number[]
  readonly size?: readonly [width: number, height: number]
}

const SIDE = 16

/** The data of a grey picture of 16 × 16 pixels, and the box that tells a decoder how it is coded. */
async function picture(side = SIDE): Promise<{ data: Buffer; config: Buffer }> {
  const grey = { create: { width: side, height: side, channels: 3, background: '#808080' } } as const
  const file = await sharp(grey).avif({ effort: 0, chromaSubsampling: '4:2:0' }).toBuffer()
  const start = file.indexOf('mdat')
  const config = file.indexOf('av1C')
  return {
    data: file.subarray(start + 4, start - 4 + file.readUInt32BE(start - 4)),
    config: file.subarray(config - 4, config - 4 + file.readUInt32BE(config - 4)),
  }
}

/** A picture of many tiles, which are all the same one. The sizes may be others than they seem to be. */
export async function avifTiles(
  columns: number,
  rows: number,
  side = SIDE,
  size: readonly [number, number] = [side * columns, side * rows],
  tile: readonly [number, number] = [side, side],
): Promise<Buffer> {
  const grid = Buffer.alloc(12)
  grid.writeUInt8(1, 1)
  grid.writeUInt8(rows - 1, 2)
  grid.writeUInt8(columns - 1, 3)
  grid.writeUInt32BE(size[0], 4)
  grid.writeUInt32BE(size[1], 8)
  const tiles = Array<number>(columns * rows).fill(2)
  const items: Item[] = [
    { id: 1, type: 'grid', content: grid, from: tiles, size },
    { id: 2, type: 'av01', content: 'picture', size: tile },
  ]
  return avif(items, side)
}

/** One picture, and many items of metadata that all are the same bytes. */
export async function avifItems(count: number, content: Buffer): Promise<Buffer> {
  const items = Array.from({ length: count }, (_, i): Item => ({ id: i + 2, type: 'Exif', content }))
  return avif([{ id: 1, type: 'av01', content: 'picture', size: [SIDE, SIDE] }, ...items])
}

async function avif(items: readonly Item[], side = SIDE): Promise<Buffer> {
  const { data, config } = await picture(side)
  const contents = new Map<Item['content'], Buffer>([['picture', data]])
  for (const { content } of items) if (content !== 'picture') contents.set(content, content)
  const head = box('ftyp', Buffer.from('avif\0\0\0\0avifmif1miaf'))
  const sizeOfMeta = meta(items, config, () => [0, 0]).length
  let at = head.length + sizeOfMeta + 8
  const places = new Map<Item['content'], [number, number]>()
  for (const [key, bytes] of contents) {
    places.set(key, [at, bytes.length])
    at += bytes.length
  }
  const where = (item: Item) => places.get(item.content) ?? ([0, 0] as [number, number])
  return Buffer.concat([head, meta(items, config, where), box('mdat', Buffer.concat([...contents.values()]))])
}

function meta(items: readonly Item[], config: Buffer, where: (item: Item) => [number, number]): Buffer {
  const infos = items.map(({ id, type }) =>
    box('infe', Buffer.concat([u32(2 << 24), u16(id), u16(0), Buffer.from(`${type}\0`)])),
  )
  const places = items.map((item) => {
    const [offset, length] = where(item)
    return Buffer.concat([u16(item.id), u16(0), u16(1), u32(offset), u32(length)])
  })
  const sizes = items.flatMap(({ size }) =>
    size ? [box('ispe', Buffer.concat([u32(0), u32(size[0]), u32(size[1])]))] : [],
  )
  const pixi = box('pixi', Buffer.from([0, 0, 0, 0, 3, 8, 8, 8]))
  const sized = items.filter(({ size }) => size)
  const associations = sized.map(({ id, type }, i) => {
    const coded = type === 'av01' ? [0x80 | (sizes.length + 2)] : []
    const numbers = [i + 1, sizes.length + 1, ...coded]
    return Buffer.concat([u16(id), Buffer.from([numbers.length, ...numbers])])
  })
  const derived = items.flatMap(({ id, from }) =>
    from ? [box('dimg', Buffer.concat([u16(id), u16(from.length), ...from.map(u16)]))] : [],
  )
  const described = items.flatMap(({ id, type }) =>
    type === 'Exif' ? [box('cdsc', Buffer.concat([u16(id), u16(1), u16(1)]))] : [],
  )
  const references = [...derived, ...described]
  return box(
    'meta',
    Buffer.concat([
      u32(0),
      box('hdlr', Buffer.concat([Buffer.alloc(8), Buffer.from('pict'), Buffer.alloc(13)])),
      box('pitm', Buffer.concat([u32(0), u16(1)])),
      box('iloc', Buffer.concat([u32(0), Buffer.from([0x44, 0]), u16(items.length), ...places])),
      box('iinf', Buffer.concat([u32(0), u16(items.length), ...infos])),
      ...(references.length > 0 ? [box('iref', Buffer.concat([u32(0), ...references]))] : []),
      box(
        'iprp',
        Buffer.concat([
          box('ipco', Buffer.concat([...sizes, pixi, config])),
          box('ipma', Buffer.concat([u32(0), u32(associations.length), ...associations])),
        ]),
      ),
    ]),
  )
}

function box(type: string, content: Uint8Array): Buffer {
  return Buffer.concat([u32(content.length + 8), Buffer.from(type), content])
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
