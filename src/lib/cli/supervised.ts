/**
 * A process that another coinpipe started and looks after. The channel between the two is the leash: its end, whether closed on purpose or because the
 * other one was killed, is the word to stop. Unlike SIGTERM it comes without anybody sending it, and beside a Ctrl-C in the terminal, which reaches both,
 * it does not count as the second one.
 */

/** Set for such a process. A channel alone is not enough: any Node program may start coinpipe with one. */
const SUPERVISED = 'COINPIPE_SUPERVISED'

/** `process` but in tests. */
interface SupervisedProcess extends Pick<NodeJS.EventEmitter, 'once' | 'off'> {
  readonly env: NodeJS.ProcessEnv
  readonly connected?: boolean | undefined
}

/** What to add to the environment of a process that should stop when its channel to us ends. */
export const supervisedEnv: Readonly<Record<string, string>> = {[SUPERVISED]: '1'}

/** Calls `stop` once the supervisor lets go; at once where it has already. Does nothing in a process that has none. Gives what ends the listening. */
export function followSupervisor(process: SupervisedProcess, stop: (reason: string) => void): () => void {
  if (process.env[SUPERVISED] !== '1') return () => undefined
  const onDisconnect = () => stop('its supervisor let go of it')
  if (process.connected !== true) onDisconnect()
  process.once('disconnect', onDisconnect)
  return () => process.off('disconnect', onDisconnect)
}

/** How to start coinpipe once more, with the same Node, the same flags for it, and the same sources or bundle. */
export function ownProgram(): {readonly program: string; readonly args: readonly string[]} {
  return {program: process.execPath, args: [...process.execArgv, ...process.argv.slice(1, 2)]}
}
