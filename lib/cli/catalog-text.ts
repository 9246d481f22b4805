import { z } from 'zod'

const Catalog = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      width: z.number(),
      height: z.number(),
      parameters: z.number(),
      preprocessing: z.string(),
      bytes: z.number().optional(),
      url: z.string(),
    }),
  ),
})

const BYTES_OF_PARAMETER = 4

/** The models of the catalog as a table for a terminal, from the info of the pipeline that lists them. */
export function catalogText(info: unknown): string {
  const rows = Catalog.parse(info).models.map(
    ({ name, width, height, parameters, preprocessing, bytes, url }) => [
      name,
      `${width} × ${height}`,
      `${(parameters / 1e6).toFixed(1)} M`,
      bytes === undefined ? `about ${megabytes(parameters * BYTES_OF_PARAMETER)}` : megabytes(bytes),
      preprocessing,
      url,
    ],
  )
  const all = [['model', 'images', 'parameters', 'file', 'preprocessing', 'address'], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  const lines = all.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '))
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
