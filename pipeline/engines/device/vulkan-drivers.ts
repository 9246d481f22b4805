import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

export type Environment = Readonly<Record<string, string | undefined>>

const FOLDER = 'vulkan/icd.d'
const MANIFEST = /\.json$/
/** Folders that the loader searches besides those named by the environment. */
const FIXED_FOLDERS = ['/usr/local/etc', '/etc']

/** The environment of this process. */
export function environment(): Environment {
  return process.env
}

/** The names of the driver manifests that Vulkan's loader finds under Linux, in the file system below `root`. */
export function vulkanDrivers(root: string, env: Environment): string[] {
  // VK_DRIVER_FILES is the newer variable and wins. Either variable replaces the folders.
  const only = env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES
  const added = env.VK_ADD_DRIVER_FILES
  const places = only ? list(only) : [...list(added), ...folders(env)]
  return places.flatMap((place) => manifests(join(root, place)))
}

/** In the order of the XDG base directories: configuration before data, the user's before the system's. */
function folders(env: Environment): string[] {
  const home = env.HOME
  const bases = [
    ...list(env.XDG_CONFIG_HOME || (home && join(home, '.config'))),
    ...list(env.XDG_CONFIG_DIRS || '/etc/xdg'),
    ...FIXED_FOLDERS,
    ...list(env.XDG_DATA_HOME || (home && join(home, '.local/share'))),
    ...list(env.XDG_DATA_DIRS || '/usr/local/share:/usr/share'),
  ]
  return bases.map((base) => join(base, FOLDER))
}

function list(places: string | undefined): string[] {
  return (places ?? '').split(':').filter((place) => place !== '')
}

/** A place is a manifest or a folder of them. */
function manifests(place: string): string[] {
  try {
    const names = statSync(place).isDirectory() ? readdirSync(place) : [basename(place)]
    return names.filter((name) => MANIFEST.test(name))
  } catch {
    return []
  }
}
