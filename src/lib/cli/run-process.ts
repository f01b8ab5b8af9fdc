import {reportError} from './report-error.ts'

/**
 * Runs one command line to its end and ends the process with its exit code, after all output is written. An error that nothing awaits
 * ends the process too: what is left behind it can't be trusted.
 */
export async function runProcess(argv: readonly string[], run: () => Promise<unknown>): Promise<void> {
  const json = argv.includes('--json')
  process.once('uncaughtException', (error) => process.exit(reportError(error, json)))
  try {
    await run()
  } catch (error) {
    process.exitCode = reportError(error, json)
  }
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
  process.exit()
}
