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
  const java = javaProgram('java', env)
  const {stderr} = await runTool(java, ['-version'], {signal, timeoutMs: TIMEOUT_MS, remedy: REMEDY})
  const [, major = ''] = /version "(\d+)/.exec(stderr) ?? []
  if (Number(major) < OLDEST) throw new ToolMissingError(`${java} is version ${major || 'unknown'}, too old`, {remedy: REMEDY})
}
