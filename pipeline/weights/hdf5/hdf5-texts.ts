/** For the longest text, a topology in JSON: that of ResNet152 has 0.4 MB. */
export const MAX_TEXT_BYTES = 32 * 2 ** 20

/** Texts stored one after the other, each filled up with zeros to `size` bytes. */
export function fixedTexts(bytes: Uint8Array, size: number): string[] {
  const texts: string[] = []
  for (let at = 0; at < bytes.length; at += size) texts.push(textUpToZero(bytes.subarray(at, at + size)))
  return texts
}

/** Texts in the library's memory; `pointer` is the address of the list of their addresses. */
export function variableTexts(heap: Uint8Array, pointer: number, count: number): string[] {
  const addresses = new Uint32Array(heap.buffer, pointer, count)
  let total = 0
  return Array.from(addresses, (address) => {
    if (address === 0) return ''
    const text = textUpToZero(heap.subarray(address, address + MAX_TEXT_BYTES))
    total += text.length
    // Limits the total too, since many entries may point to one long text.
    if (total > MAX_TEXT_BYTES) throw new Error('its texts are too long')
    return text
  })
}

function textUpToZero(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
