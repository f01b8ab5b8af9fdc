import type {Context} from '../core/context.ts'
import {AbortedError, type CoinpipeError} from '../core/errors.ts'
import type {Health} from '../core/health.ts'
import type {Bus, BusAdmin, OutgoingRecord} from '../core/ports/bus.ts'
import type {Source} from '../core/ports/source.ts'
import type {Router} from '../core/router.ts'
import {TOPICS} from '../core/topics.ts'
import {RESUME_TAIL_MS, type ResumePoints, ResumeScan} from '../exchanges/feed/resume.ts'
import {type FeedOptions, findExchange} from '../exchanges/registry.ts'
import {takeLock} from '../store/lock/lock.ts'
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
  const release = await takeLock(`${folder}/lock`, `ingest '${name}'`)
  const spill = await Spill.open({directory: `${folder}/spill`, maxBytes: options.spillMaxBytes}, context)
  const publisher = new Publisher(
    {bus: options.bus, spill, component: exchange, onRefused: (record, error) => setRecordAside(options, record, error)},
    context,
  )
  try {
    publisher.resume()
    if (!(await publisher.drained(signal))) return
    await runFeed(options, publisher, signal, context).catch((error: unknown) => {
      if (!(error instanceof AbortedError && signal.aborted)) throw error
    })
    if (!(await publisher.drained(drainDeadline(signal)))) {
      context.logger.warn({name, bytes: spill.bytes}, 'records wait in the spill and go to the bus at the next start')
    }
  } finally {
    await publisher.close()
    await release()
  }
}

async function runFeed(options: ExchangePipelineOptions, publisher: Publisher, signal: AbortSignal, context: Context): Promise<void> {
  const {name, exchange, router, health} = options
  const component = `ingest ${name}`
  health.set(component, 'starting', 'connecting')
  const source = await connectFeed(options, signal, context)
  try {
    health.set(component, 'up')
    await runIngest({source, publisher, exchange, component: exchange, partitionOf: router.partitionOf}, signal, context)
  } finally {
    health.set(component, 'down', 'stopped')
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

async function setRecordAside({bus, exchange}: ExchangePipelineOptions, record: OutgoingRecord, error: CoinpipeError): Promise<void> {
  await setAside(bus, [recordDeadLetter(exchange, record, {code: error.code, message: error.message, attempts: 1})])
}
