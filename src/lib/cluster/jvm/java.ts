import {join} from 'node:path'
import {ToolMissingError} from '../errors.ts'
import {runTool} from '../tools.ts'

const TIMEOUT_MS = 20_000
/** Kafka's brokers and Cassandra 5 need it. */
const OLDEST = 17
const REMEDY = [`install Java ${OLDEST} or later, so that java is on the PATH or JAVA_HOME names it`]

/** A program of the JDK: that of JAVA_HOME, or of the PATH. */
export function javaProgram(name: 'java' | 'keytool', env: NodeJS.ProcessEnv = process.env): string {
  return env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', name) : name
}

/** Rejects with ToolMissingError where there is no Java, or one that is too old. */
export async function checkJava(signal: AbortSignal, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const [, major = ''] = /version "(\d+)/.exec(await javaVersion(signal, env)) ?? []
  if (Number(major) < OLDEST) {
    throw new ToolMissingError(`${javaProgram('java', env)} is version ${major || 'unknown'}, too old`, {remedy: REMEDY})
  }
}

/** What Java says of itself: its version, vendor and build. */
export async function javaVersion(signal: AbortSignal, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return (await runTool(javaProgram('java', env), ['-version'], {signal, timeoutMs: TIMEOUT_MS, remedy: REMEDY})).stderr
}
