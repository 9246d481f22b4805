import { closeSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { openWindow } from '../../pipeline/weights/source/file-window.ts'
import { entryBytes } from '../../pipeline/weights/source/unpack-entry.ts'
import { readEntries } from '../../pipeline/weights/source/zip-entries.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A new folder with the files of a ZIP. */
export async function unzipped(path: string): Promise<string> {
  const folder = temporaryFolder()
  const window = openWindow(path, basename(path))
  try {
    const zip = await readEntries(window)
    for (const name of zip.entries.keys()) {
      writeFileSync(join(folder, basename(name)), await entryBytes(window.name, zip, name, 2 ** 20))
    }
  } finally {
    closeSync(window.fd)
  }
  return folder
}
