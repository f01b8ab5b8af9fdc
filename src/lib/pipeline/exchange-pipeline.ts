import type {Context} from '../core/context.ts'
import {AbortedError, type CoinpipeError} from '../core/errors.ts'
import type {Health, HealthState} from '../core/health.ts'
import {takeLock} from '../core/lock.ts'
import type {Bus, BusAdmin, OutgoingRecord} from '../core/ports/bus.ts'
import type {Source} from '../core/ports/source.ts'
import type {Router} from '../core/router.ts'
import {TOPICS} from '../core/topics.ts'
import {RESUME_TAIL_MS, type ResumePoints, ResumeScan} from '../exchanges/feed/resume.ts'
import {type FeedOptions, findExchange} from '../exchanges/registry.ts'
import {Spill} from '../store/spill/spill.ts'
import {recordDeadLetter, setAside} from './dead-letter.ts'
import {drainDeadline} from './drain.ts'
import {runIngest} from './ingest.ts'
import {readTail} from './log-tail.ts'
import type {DataPaths} from './paths.ts'
import {Publisher} from './publisher.ts'
import {retrying} from './retry.ts'

export interface ExchangePipelineOptions {
  /** Names the spill folder and the lock: one process at a time. */
  readonly name: string
  readonly exchange: string
  readonly feed: Omit<FeedOptions, 'lastSeen'>
  readonly bus: Bus
  readonly admin: BusAdmin
  readonly router: Router
  readonly paths: DataPaths
  readonly spillMaxBytes: number
  readonly health: Health
}

/**
 * One exchange → bus, until `signal` aborts. What an earlier run left on disk goes to the bus first; then the log's own tail tells the feed how far
 * trades are complete, so that it back-fills what was missed while nobody listened.
 */
export async function runExchangePipeline(options: ExchangePipelineOptions, signal: AbortSignal, context: Context): Promise<void> {
  const {name, exchange, paths} = options
  const folder = paths.ingest(name)
  const release = await takeLock(`${folder}/lock.sqlite`, `ingest '${name}'`)
  const spill = await Spill.open({directory: `${folder}/spill`, maxBytes: options.spillMaxBytes}, context)
  const health = new IngestHealth(options.health, `ingest ${name}`)
  const publisher = new Publisher(
    {
      bus: options.bus,
      spill,
      component: exchange,
      onRefused: (record, error) => setRecordAside(options, record, error),
      onSpilling: (spilling) => health.setSpilling(spilling),
    },
    context,
  )
  try {
    health.set('starting', 'publishing what an earlier run left on disk')
    publisher.resume()
    if (!(await publisher.drained(signal))) return
    await runFeed(options, publisher, health, signal, context).catch((error: unknown) => {
      if (!(error instanceof AbortedError && signal.aborted)) throw error
    })
    if (!(await publisher.drained(drainDeadline(signal)))) {
      context.logger.warn({name, bytes: spill.bytes}, 'records wait in the spill and go to the bus at the next start')
    }
  } finally {
    await publisher.close()
    await release()
    health.set('down', 'stopped')
  }
}

async function runFeed(
  options: ExchangePipelineOptions,
  publisher: Publisher,
  health: IngestHealth,
  signal: AbortSignal,
  context: Context,
): Promise<void> {
  const {exchange, router} = options
  health.set('starting', 'connecting')
  const source = await connectFeed(options, signal, context)
  try {
    health.set('up')
    await runIngest({source, publisher, exchange, component: exchange, partitionOf: router.partitionOf}, signal, context)
  } finally {
    await source.close()
  }
}

async function connectFeed({exchange, admin, feed}: ExchangePipelineOptions, signal: AbortSignal, context: Context): Promise<Source> {
  const lastSeen = feed.channels.includes('trade') ? await resumePoints(admin, exchange) : undefined
  const connect = async () => {
    const source = findExchange(exchange).createFeed({...feed, ...(lastSeen ? {lastSeen} : {})}, context)
    await source.connect()
    return source
  }
  return retrying(connect, {component: exchange, stage: 'connect', signal}, context)
}

/** How far the exchange's trades are complete in the log. */
async function resumePoints(admin: BusAdmin, exchange: string): Promise<ResumePoints> {
  const scan = new ResumeScan()
  const tail = await readTail(admin, TOPICS.trade, RESUME_TAIL_MS)
  for await (const record of tail.records) if ('exchange' in record && record.exchange === exchange) scan.add(record)
  return scan.points(tail.since)
}

/** A collector as `/healthz` shows it: what it is doing, and degraded while it works and spills. */
class IngestHealth {
  readonly #health: Health
  readonly #component: string
  #state: HealthState = 'starting'
  #message: string | undefined
  #spilling = false

  constructor(health: Health, component: string) {
    this.#health = health
    this.#component = component
  }

  set(state: HealthState, message?: string): void {
    this.#state = state
    this.#message = message
    this.#tell()
  }

  setSpilling(spilling: boolean): void {
    this.#spilling = spilling
    this.#tell()
  }

  #tell(): void {
    if (this.#spilling && this.#state === 'up') {
      this.#health.set(this.#component, 'degraded', 'the bus is down or slow: records wait on disk')
    } else {
      this.#health.set(this.#component, this.#state, this.#message)
    }
  }
}

async function setRecordAside({bus, exchange}: ExchangePipelineOptions, record: OutgoingRecord, error: CoinpipeError): Promise<void> {
  await setAside(bus, [recordDeadLetter(exchange, record, {code: error.code, message: error.message, attempts: 1})])
}
