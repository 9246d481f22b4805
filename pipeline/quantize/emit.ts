import { ATTRIBUTE, EXTERNAL, type NodeProto } from '../graph/onnx-schema.ts'
import { type ByteGraph, byteGraph, MICROSOFT } from './byte-graph.ts'
import { byteOf } from './byte-weights.ts'
import { outputOf } from './float-graph.ts'
import { biasOf } from './layer-weights.ts'
import type { Network } from './network.ts'
import type { Pixels } from './pixels.ts'
import type { ByteConvolution, ByteScale, Recipe } from './recipe.ts'
import { scaledMatrix } from './scaled-weights.ts'
import type { Unit } from './units.ts'

export interface EmitOptions {
  /** The name of the file of weights. */
  readonly dataFile: string
  /** Matrices alone become bytes. */
  readonly only?: 'matrix'
}

/** Writes a model of bytes. Where bytes and floats meet, the tensor is converted once. */
export async function emitBytes(
  network: Network,
  recipe: Recipe,
  options: EmitOptions,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  const { graph, units } = network
  const emitter = new Emitter(network, recipe, options, write)
  for (const unit of units) await emitter.unit(unit)
  return emitter.finish(graph.outputs)
}

class Emitter {
  readonly #network: Network
  readonly #recipe: Recipe
  readonly #options: EmitOptions
  readonly #to: ByteGraph
  /** The tensors that are there as floats, and the names of those that are there as bytes. */
  readonly #floats: Set<string>
  readonly #bytes = new Map<string, string>()
  readonly #kept = new Set<string>()

  constructor(
    network: Network,
    recipe: Recipe,
    options: EmitOptions,
    write: (bytes: Uint8Array) => Promise<void>,
  ) {
    this.#network = network
    this.#recipe = recipe
    this.#options = options
    this.#to = byteGraph(options.dataFile, write)
    this.#floats = new Set([network.graph.input.name])
  }

  async unit(unit: Unit): Promise<void> {
    const { kind, inputs, output } = unit
    const isWanted = !this.#options.only || this.#options.only === kind
    const isByte =
      isWanted && !this.#recipe.floats.has(output) && inputs.every((input) => this.#scaleOf(input))
    const hasBytes = inputs.some((input) => this.#bytes.has(input))
    const convolution = this.#recipe.convolutions.get(output)
    if (convolution && isByte && this.#scaleOf(output)) return this.#convolution(unit, convolution)
    if (kind === 'matrix' && isByte) return this.#matrix(unit)
    if (kind === 'moves' && hasBytes) return this.#moves(unit)
    if (hasBytes && isByte && this.#scaleOf(output)) {
      if (kind === 'add') return this.#sum(unit)
      if (kind === 'concat') return this.#concat(unit)
      if (kind === 'average') return this.#average(unit)
    }
    await this.#float(unit)
  }

  finish(outputs: Network['graph']['outputs']): Uint8Array {
    for (const { name } of outputs) this.#asFloat(name)
    return this.#to.finish(this.#network.graph.input, outputs)
  }

  #scaleOf(tensor: string): ByteScale | undefined {
    return this.#recipe.tensors.get(this.#network.rootOf(tensor))
  }

  #scaleInputs(tensor: string): [string, string] {
    const { scale, zero } = this.#scaleOf(tensor) ?? { scale: 1, zero: 0 }
    return [this.#to.scale(scale), this.#to.zero(zero)]
  }

  #asBytes(tensor: string): string {
    const known = this.#bytes.get(tensor)
    if (known !== undefined) return known
    if (this.#recipe.pixels?.tensor === tensor) return this.#pixels(this.#recipe.pixels)
    this.#asFloat(tensor)
    const name = this.#newBytes(tensor)
    const from = this.#byChannels(tensor, 'Div', tensor, this.#to.fresh(tensor))
    const input = [from, ...this.#scaleInputs(tensor)]
    this.#to.add({ opType: 'QuantizeLinear', input, output: [name], attribute: [] })
    return name
  }

  #pixels({ tensor, isReversed, factors }: Pixels): string {
    const { input } = this.#network.graph
    const perm = { name: 'perm', type: ATTRIBUTE.ints, ints: [0, 3, 1, 2] }
    const planes = isReversed ? this.#to.fresh(tensor) : this.#newBytes(tensor)
    this.#to.add({ opType: 'Transpose', input: [input.name], output: [planes], attribute: [perm] })
    if (!isReversed) return planes
    const name = this.#newBytes(tensor)
    const order = this.#to.integers(Array.from(factors, (_, i) => factors.length - 1 - i))
    const axis = { name: 'axis', type: ATTRIBUTE.int, i: 1 }
    this.#to.add({ opType: 'Gather', input: [planes, order], output: [name], attribute: [axis] })
    return name
  }

  #asFloat(tensor: string): void {
    const bytes = this.#bytes.get(tensor)
    if (this.#floats.has(tensor) || bytes === undefined) return
    const divided = this.#recipe.channels.has(this.#network.rootOf(tensor)) ? this.#to.fresh(tensor) : tensor
    const input = [bytes, ...this.#scaleInputs(tensor)]
    this.#to.add({ opType: 'DequantizeLinear', input, output: [divided], attribute: [] })
    this.#byChannels(tensor, 'Mul', divided, tensor)
    this.#floats.add(tensor)
  }

  /**
   * Divides or multiplies each channel by its number, if the tensor has equalised channels. A scale for each channel in the
   * conversion itself would do, but ONNX Runtime merges such a conversion with some operations that do not support it.
   */
  #byChannels(tensor: string, opType: 'Div' | 'Mul', from: string, to: string): string {
    const channels = this.#recipe.channels.get(this.#network.rootOf(tensor))
    if (!channels) return from
    const input = [from, this.#to.channels(channels)]
    this.#to.add({ opType, input, output: [to], attribute: [] })
    return to
  }

  #newBytes(tensor: string): string {
    const name = this.#to.fresh(tensor)
    this.#bytes.set(tensor, name)
    return name
  }

  async #convolution(unit: Unit, convolution: ByteConvolution): Promise<void> {
    const [input = ''] = unit.inputs
    const { dims, bytes, scales, biases } = convolution
    const { scale = 1 } = this.#scaleOf(input) ?? {}
    const from = this.#asBytes(input)
    const inputs = [
      from,
      ...this.#scaleInputs(input),
      await this.#to.weights(dims, bytes),
      this.#to.scales(scales),
      this.#to.signedZeros(scales.length),
      ...this.#scaleInputs(unit.output),
      this.#to.biases(biasBytes(biases, scales, scale)),
    ]
    const output = [this.#newBytes(unit.output)]
    this.#to.add({ opType: 'QLinearConv', input: inputs, output, attribute: unit.node.attribute })
  }

  async #matrix(unit: Unit): Promise<void> {
    const { node, activation } = unit
    const [input = ''] = unit.inputs
    const { dims, bytes } = await scaledMatrix(this.#network, unit, this.#recipe)
    const bias = await biasOf(this.#network, unit)
    const { scale = 1 } = this.#scaleOf(input) ?? {}
    const from = this.#asBytes(input)
    const isLast = this.#network.readersOf(unit.output).every(({ kind }) => kind === 'float')
    const toBytes = !isLast && !this.#options.only && this.#scaleOf(unit.output) !== undefined
    const inputs = [
      from,
      ...this.#scaleInputs(input),
      await this.#to.weights(dims, bytes.bytes),
      this.#to.scales(bytes.scales),
      this.#to.signedZeros(bytes.scales.length),
      bias ? this.#to.biases(biasBytes(bias, bytes.scales, scale)) : '',
      ...(toBytes ? this.#scaleInputs(unit.output) : []),
    ]
    const output = toBytes ? this.#newBytes(unit.output) : outputOf(node)
    this.#to.add({ opType: 'QGemm', domain: MICROSOFT, input: inputs, output: [output], attribute: [] })
    if (toBytes) return
    this.#floats.add(output)
    if (activation) await this.#node(activation)
  }

  async #moves({ node, inputs, output }: Unit): Promise<void> {
    const [input = ''] = inputs
    const constants = node.input.slice(1)
    for (const name of constants) await this.#keep(name)
    const bytes = [this.#asBytes(input), ...constants]
    this.#to.add({ ...node, input: bytes, output: [this.#newBytes(output)] })
  }

  #sum({ inputs, output }: Unit): void {
    const operands = inputs.flatMap((input) => [this.#asBytes(input), ...this.#scaleInputs(input)])
    const input = [...operands, ...this.#scaleInputs(output)]
    this.#to.add({
      opType: 'QLinearAdd',
      domain: MICROSOFT,
      input,
      output: [this.#newBytes(output)],
      attribute: [],
    })
  }

  #concat({ node, inputs, output }: Unit): void {
    const names = inputs.map((input) => this.#asBytes(input))
    const [scale, zero] = this.#scaleInputs(output)
    const isJoined = inputs.every((input) => this.#scaleInputs(input).join() === `${scale},${zero}`)
    const result = [this.#newBytes(output)]
    if (isJoined) {
      this.#to.add({ ...node, input: names, output: result })
      return
    }
    const operands = inputs.flatMap((input, i) => [names[i] ?? '', ...this.#scaleInputs(input)])
    const input = [scale, zero, ...operands]
    this.#to.add({ ...node, opType: 'QLinearConcat', domain: MICROSOFT, input, output: result })
  }

  #average({ node, inputs: [from = ''], output }: Unit): void {
    const input = [this.#asBytes(from), ...this.#scaleInputs(from), ...this.#scaleInputs(output)]
    const result = [this.#newBytes(output)]
    this.#to.add({ ...node, opType: 'QLinearAveragePool', domain: MICROSOFT, input, output: result })
  }

  async #float({ node, activation }: Unit): Promise<void> {
    await this.#node(node)
    if (activation) await this.#node(activation)
  }

  async #node(node: NodeProto): Promise<void> {
    for (const input of node.input) {
      this.#asFloat(input)
      await this.#keep(input)
    }
    this.#to.add(node)
    for (const output of node.output) this.#floats.add(output)
  }

  /** A constant of the float graph, under its name. */
  async #keep(name: string): Promise<void> {
    const { graph } = this.#network
    const tensor = graph.constants.get(name)
    if (!tensor || this.#kept.has(name)) return
    this.#kept.add(name)
    if (tensor.dataLocation !== EXTERNAL) this.#to.keep(tensor)
    else await this.#to.weights(tensor.dims, await graph.read(name), name)
  }
}

/** The largest sum that leaves room for the products, which are added to it. */
const MOST_BIAS = 2 ** 30

/** In the scale of the products of inputs and weights. */
function biasBytes(biases: ArrayLike<number>, scales: Float32Array, inputScale: number): Int32Array {
  return Int32Array.from(biases, (bias, i) => byteOf(bias / ((scales[i] ?? 1) * inputScale), MOST_BIAS))
}
