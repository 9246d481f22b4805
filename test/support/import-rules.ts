export interface SourceFile {
  /** from the root of the repository, with forward slashes */
  path: string
  text: string
}

interface Rule {
  from: RegExp
  /** what an import may resolve to: a path from the root, or the name of a package */
  may: RegExp
}

const PACKAGE = /^[^./]/
const NODE = /^node:/
const INFERENCE = /^(onnxruntime-|@tensorflow\/|sharp$|h5wasm$)/
const WEB_PROCESS = /^(StartService\.ts$|tandem\.ts$|commands\.ts$|lib\/|broker\/|fleet\/)/
// The files that may use process.env: for the settings, for a variable that ONNX Runtime reads nowhere else, and for
// the variables that name the folders of Vulkan's drivers.
const MAY_USE_ENVIRONMENT =
  /^(lib\/config\/(config|compiled-code)|pipeline\/engines\/(onnx\/no-telemetry|device\/vulkan-drivers))\.ts$/
// The contract that the pipeline implements. Only its types may be imported, which do not exist at run time.
const CONTRACT = 'broker/pipeline.ts'
const TYPES_ONLY = /\b(import|export)\s+type\b[^'"]*$/
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"]+)\1/g

const RULES: readonly Rule[] = [
  { from: /^StartService\.ts$/, may: /^(lib|broker)\// },
  // The command `stress` is a script of the repository too.
  { from: /^(tandem|commands)\.ts$/, may: /^commands\.ts$|^(lib|scripts\/stress)\// },
  // Pages share their words with the scripts in the browser.
  { from: /^lib\/pages\//, may: /^(lib|broker|fleet)\/|^public\/[a-z]+-words\.js$/ },
  { from: /^lib\//, may: /^(lib|broker|fleet)\// },
  { from: /^fleet\//, may: /^(fleet|broker)\/|^(amqplib|@msgpack\/msgpack|nanoid)$/ },
  { from: /^broker\//, may: /^broker\/|^nanoid$/ },
  { from: /^pipeline\//, may: /^pipeline\// },
]

/** The violations in one file, a sentence for each forbidden import and each use of process.env. */
export function violations({ path, text }: SourceFile): string[] {
  const wrong = [...text.matchAll(SPECIFIER)]
    .map((match) => ({
      target: resolveSpecifier(path, match[2] ?? ''),
      isType: TYPES_ONLY.test(statementBefore(text, match.index)),
      isDynamic: match[0].includes('('),
    }))
    .filter(
      ({ target, isType, isDynamic }) =>
        (!isAllowed(path, target) && !isContract(path, target, isType) && !isTypeOfClient(path, isType)) ||
        // A service without a fleet must not load the fleet's code and packages.
        (path.startsWith('lib/') && target.startsWith('fleet/') && !isType && !isDynamic),
    )
    .map(({ target }) => `${path} imports ${target}`)
  if (!MAY_USE_ENVIRONMENT.test(path) && /\bprocess\.env\b/.test(text))
    wrong.push(`${path} reads process.env`)
  return wrong
}

function isAllowed(path: string, target: string): boolean {
  // The client runs in browsers: it has no modules of Node, no packages, and nothing of the server but types.
  if (path.startsWith('client/')) return target.startsWith('client/')
  if (NODE.test(target)) return true
  if (WEB_PROCESS.test(path) && INFERENCE.test(target)) return false
  const rule = RULES.find(({ from }) => from.test(path))
  if (rule === undefined || rule.may.test(target)) return true
  return PACKAGE.test(target) && !isOwn(target) && !/^(broker|fleet)\//.test(path)
}

function isContract(path: string, target: string, isType: boolean): boolean {
  return isType && target === CONTRACT && path.startsWith('pipeline/')
}

/** The types of the server's answers do not exist at run time. */
function isTypeOfClient(path: string, isType: boolean): boolean {
  return isType && path.startsWith('client/')
}

/** The part of a statement before `from`: an import begins a line, and has no quotes before its specifier. */
function statementBefore(text: string, index: number): string {
  return text.slice(Math.max(text.lastIndexOf("'", index), text.lastIndexOf('"', index), 0), index)
}

function isOwn(target: string): boolean {
  return /^(lib|broker|fleet|pipeline|public|test|bench|training|StartService\.ts)(\/|$)/.test(target)
}

function resolveSpecifier(path: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier
  return new URL(specifier, `file:///${path}`).pathname.slice(1)
}
