import {fromScaled, PRODUCT_SCALE, toScaled} from '../../core/decimal-math.ts'
import type {MarketId, VolumeRow} from '../../core/ports/market-reader.ts'
import type {Micros} from '../../core/records.ts'
import {micros, type RowDecoder} from './decode-row.ts'
import type {Questions} from './questions.ts'
import {RecentIds} from './recent-ids.ts'
import type {Row} from './session.ts'
import type {TradePages} from './trade-pages.ts'

export interface VolumeSource {
  readonly pages: TradePages
  readonly questions: Questions
  readonly decoder: RowDecoder
}

interface Span {
  readonly from: Micros
  readonly to: Micros
}

/** Markets that are read at once: enough to keep a cluster at work while rows are decoded, and few enough to leave it to its writers. */
const MARKETS_AT_ONCE = 4
const PAGE_ROWS = 5000
/** A trade that is stored twice has two event times a few seconds apart. */
const IDS_REMEMBERED = 50_000

/** Exact sums of each market's trades, in the order of `markets`; those without trades are left out. A page of each market is in memory at a time. */
export async function readVolume(source: VolumeSource, markets: readonly MarketId[], span: Span): Promise<VolumeRow[]> {
  const rows = new Map<MarketId, VolumeRow>()
  const waiting = markets.values()
  const failed = new AbortController()
  const work = async () => {
    for (const market of waiting) {
      const row = await sumMarket(source, market, span, failed.signal)
      if (row.trades > 0) rows.set(market, row)
    }
  }
  try {
    await Promise.all(Array.from({length: MARKETS_AT_ONCE}, work))
  } finally {
    failed.abort()
  }
  return markets.flatMap((market) => rows.get(market) ?? [])
}

async function sumMarket({pages, questions, decoder}: VolumeSource, market: MarketId, span: Span, failed: AbortSignal): Promise<VolumeRow> {
  const sum = new Sum(decoder, span)
  for await (const page of pages.amounts(questions, {...market, ...span}, PAGE_ROWS)) {
    if (failed.aborted) break
    for (const row of page) sum.add(row)
  }
  return {...market, ...sum.result()}
}

class Sum {
  readonly #decoder: RowDecoder
  readonly #span: Span
  readonly #ids = new RecentIds(IDS_REMEMBERED)
  #base = 0n
  #quote = 0n
  #trades = 0

  constructor(decoder: RowDecoder, span: Span) {
    this.#decoder = decoder
    this.#span = span
  }

  add(row: Row): void {
    const eventTime = micros(row, 'event_us')
    if (eventTime < this.#span.from || eventTime >= this.#span.to || !this.#ids.add(row.get('id'))) return
    const size = toScaled(this.#decoder.decimal(row.get('size')))
    this.#base += size
    this.#quote += toScaled(this.#decoder.decimal(row.get('price'))) * size
    this.#trades++
  }

  result(): Omit<VolumeRow, keyof MarketId> {
    return {volumeBase: fromScaled(this.#base), volumeQuote: fromScaled(this.#quote, PRODUCT_SCALE), trades: this.#trades}
  }
}
