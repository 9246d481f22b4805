import { CommandError, EXIT } from './command.ts'

/** All bytes of standard input, within a bound. */
export async function readStandardInput(maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    size += chunk.length
    if (size > maxBytes) {
      throw new CommandError(
        `Standard input has more than ${maxBytes} bytes, which is MAX_BODY_BYTES.`,
        EXIT.failed,
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
