#!/usr/bin/env node
import { COMMANDS } from './commands.ts'
import { main } from './lib/cli/main.ts'

process.exitCode = await main(COMMANDS, process.argv.slice(2))
