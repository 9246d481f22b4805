import type { Progress } from '../broker/pipeline.ts'
import type { FoundModel } from './found-model.ts'
import type { WinogradForm } from './graph/winograd/form.ts'
import type { Compile } from './graph/write-model.ts'
import { metadataField } from './weights/onnx/metadata-field.ts'

/** In the metadata of a compiled model: the layers take images of any size. */
export const ANY_SIZE_KEY = 'tandem.anySize'

/** Compiles a model from its own file, with some convolutions by Winograd's way. */
export function compilerOf(
  found: FoundModel,
  progress: Progress,
  winograd?: ReadonlyMap<string, WinogradForm>,
): Compile {
  return async (dataFile, write) => {
    progress(0.5, 'compiling')
    // Imported here, since later starts find the compiled model and do not need the compiler.
    const { compileGraph } = await import('./graph/compile.ts')
    const { layers, anySize, weights, close } = await found.open()
    try {
      const { preprocessing } = found
      const options = { preprocessing, input: 'uint8', dataFile, ...(winograd && { winograd }) } as const
      const model = await compileGraph(layers, weights, options, (bytes) => {
        // The broker kills a silent child, and compiling a large model takes minutes on a busy machine.
        progress(0.5, 'compiling')
        return write(bytes)
      })
      return anySize ? Buffer.concat([model, metadataField(ANY_SIZE_KEY, 'yes')]) : model
    } finally {
      await close()
    }
  }
}
