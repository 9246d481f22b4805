#!/usr/bin/env node
import { mustHaveDescriptors } from './lib/process/descriptors.ts'

// Checked before anything else is loaded: with too few descriptors, already the import of all modules fails.
mustHaveDescriptors()
const { start } = await import('./lib/start.ts')
await start(process.argv.slice(2))
