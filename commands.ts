import { EXIT, type OwnCommand } from './lib/cli/command.ts'
import type { CommandTable } from './lib/cli/main.ts'
import { mustHaveDescriptors } from './lib/process/descriptors.ts'

/** Flags are settings alone, so that `tandem serve` and `npm start` read them in the same way. */
const serveCommand: OwnCommand = {
  options: {},
  takesSettings: true,
  async runArguments(args) {
    mustHaveDescriptors()
    const { start } = await import('./lib/start.ts')
    await start(args)
    return EXIT.done
  },
}

/** A new command is a row here and a file in lib/cli. */
export const COMMANDS: CommandTable = {
  serve: {
    about: 'serve models over HTTP',
    load: async () => serveCommand,
  },
  predict: {
    about: 'classify pictures: files, folders, addresses',
    load: async () => (await import('./lib/cli/predict.ts')).predictCommand,
  },
  inspect: {
    about: 'show what a model is, and what Tandem does with it',
    load: async () => (await import('./lib/cli/inspect.ts')).inspectCommand,
  },
  weights: {
    about: 'download, list, verify and remove the weights of models',
    load: async () => (await import('./lib/cli/weights.ts')).weightsCommand,
  },
  quantize: {
    about: 'turn a model into a faster one of bytes (int8), and check it',
    load: async () => (await import('./lib/cli/quantize.ts')).quantizeCommand,
  },
  models: {
    about: 'list the models that can be served by name',
    load: async () => (await import('./lib/cli/models.ts')).modelsCommand,
  },
  bench: {
    about: 'measure how fast a model is on this machine',
    load: async () => (await import('./lib/cli/bench.ts')).benchCommand,
  },
  stress: {
    about: 'load a running server, and write a report',
    load: async () => (await import('./scripts/stress/stress.ts')).stressCommand,
  },
  feedback: {
    about: 'list, export and merge the reports of wrong predictions',
    load: async () => (await import('./lib/cli/feedback.ts')).feedbackCommand,
  },
  doctor: {
    about: 'check this machine, and say what to do',
    load: async () => (await import('./lib/cli/doctor.ts')).doctorCommand,
  },
  completion: {
    about: 'write the completion of commands for bash, zsh or fish',
    load: async () => (await import('./lib/cli/completion.ts')).completionCommand(COMMANDS),
  },
}
