/** The fields of Upbit's messages that coinpipe reads, by their long names (DEFAULT, JSON_LIST, REST) and short ones (SIMPLE, SIMPLE_LIST). */
import {type FieldSpec, FieldTable} from '../../core/json-fields.ts'

/** Slots of {@link UPBIT_UNITS}. */
export const UNIT = {askPrice: 0, bidPrice: 1, askSize: 2, bidSize: 3} as const

export const UPBIT_UNITS = new FieldTable([
  {names: ['ask_price', 'ap']},
  {names: ['bid_price', 'bp']},
  {names: ['ask_size', 'as']},
  {names: ['bid_size', 'bs']},
])

const SPECS = {
  type: {names: ['type', 'ty']},
  /** REST calls it `market`. */
  code: {names: ['code', 'cd', 'market']},
  timestamp: {names: ['timestamp', 'tms']},
  tradeTimestamp: {names: ['trade_timestamp', 'ttms']},
  tradePrice: {names: ['trade_price', 'tp']},
  tradeVolume: {names: ['trade_volume', 'tv']},
  askBid: {names: ['ask_bid', 'ab']},
  sequentialId: {names: ['sequential_id', 'sid']},
  units: {names: ['orderbook_units', 'obu'], rows: UPBIT_UNITS},
  open: {names: ['opening_price', 'op']},
  high: {names: ['high_price', 'hp']},
  low: {names: ['low_price', 'lp']},
  changeRate: {names: ['signed_change_rate', 'scr']},
  volumeBase24h: {names: ['acc_trade_volume_24h', 'atv24h']},
  volumeQuote24h: {names: ['acc_trade_price_24h', 'atp24h']},
  candleTime: {names: ['candle_date_time_utc', 'cdttmu']},
  candleVolumeBase: {names: ['candle_acc_trade_volume', 'catv']},
  candleVolumeQuote: {names: ['candle_acc_trade_price', 'catp']},
} as const satisfies Record<string, FieldSpec>

export type FieldName = keyof typeof SPECS

const NAMES = Object.keys(SPECS) as FieldName[]

export const UPBIT_FIELDS = new FieldTable(Object.values(SPECS))

/** Slots of {@link UPBIT_FIELDS}. */
export const FIELD = Object.fromEntries(NAMES.map((name, slot) => [name, slot])) as Readonly<Record<FieldName, number>>

/** What a slot is called in Upbit's documentation and in short, for messages to people. */
export function fieldLabel(slot: number): string {
  const name = NAMES[slot]
  return name === undefined ? `field ${slot}` : SPECS[name].names.join('/')
}
