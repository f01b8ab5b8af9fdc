#!/usr/bin/env node
// Runs the sources as they are (type stripping), without a build.
import {main} from '../src/main.ts'

await main(process.argv.slice(2))
