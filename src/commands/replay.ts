import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../lib/cli/base-command.ts'
import {endlessFlags} from '../lib/cli/flags.ts'
import {portFlag, serverFlags} from '../lib/config/exchange-flags.ts'
import {InvalidInputError} from '../lib/core/errors.ts'
import {given} from '../lib/core/given.ts'
import {createProgress} from '../lib/observability/progress.ts'
import type {ReplayStats} from '../lib/simulate/replay/replay.ts'
import {runReplay} from '../lib/simulate/run.ts'

export default class ReplayCommand extends BaseCommand {
  static override summary = 'Serve a capture as if the exchange sent it now.'
  static override description =
    `A websocket server that waits for a client and its subscription, then sends the recorded frames byte by byte at the recorded pace. REST answers in the capture are served at their paths. Ends when the last client has had everything; every client gets the capture from its start. --count counts frames.`
  static override examples = [
    {description: 'At the recorded pace', command: '<%= config.bin %> <%= command.id %> upbit.capture.gz --port 9002'},
    {
      description: 'As fast as the client reads, for ever',
      command: '<%= config.bin %> <%= command.id %> upbit.capture.gz --speed max --loop',
    },
  ]
  static override args = {file: Args.string({description: 'Capture to replay.', required: true})}
  static override flags = {
    ...endlessFlags,
    ...serverFlags,
    port: portFlag(9002),
    speed: Flags.string({
      summary: 'How many times as fast as recorded, or max.',
      default: '1',
      helpValue: '<number|max>',
      env: 'COINPIPE_SPEED',
    }),
    loop: Flags.boolean({summary: 'Begin again at the end.', env: 'COINPIPE_LOOP'}),
  }

  async run(): Promise<ReplayStats> {
    const {args, flags} = await this.parse(ReplayCommand)
    const options = {
      path: args.file,
      port: flags.port,
      speed: parseSpeed(flags.speed),
      loop: flags.loop,
      ...given({host: flags.host, maxFrames: flags.count}),
    }
    const context = this.start(flags)
    const stats = await runReplay(options, context, (replay) => {
      if (!this.jsonEnabled()) this.log(`REPLAY: ${replay.url}`)
      const read = () => ({totals: {sent: replay.stats().sent}, values: {clients: replay.stats().clients}})
      return createProgress({stream: context.status, clock: context.clock, read, enabled: !this.jsonEnabled()})
    })
    if (!this.jsonEnabled()) this.logToStderr(`${stats.sent} frames sent of ${stats.captured} captured, to ${stats.clients} clients`)
    return stats
  }
}

function parseSpeed(text: string): number | null {
  if (text === 'max') return null
  const speed = Number(text)
  if (text.trim() !== '' && Number.isFinite(speed) && speed > 0) return speed
  throw new InvalidInputError(`'${text}' is not a speed`, {remedy: ['give a number above 0, for example --speed 10, or --speed max']})
}
