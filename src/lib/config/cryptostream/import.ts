/**
 * CryptoStream's configuration as a coinpipe.yaml.
 *
 * CryptoStream (github.com/dojun43/CryptoStream-docker) runs one process for each section of producer.conf: it subscribes to Upbit's order books
 * of `KRW-<ticker>.5` in SIMPLE format and sends them to one partition of a topic. Sections of consumer.conf read one partition each and write
 * to Google Cloud Storage; the brokers are in .env. Here a producer section becomes a symbol group, pinned to the partition.
 */

import {suggestSymbol} from '../values.ts'
import type {Compose} from './compose.ts'
import {parseCompose} from './compose.ts'
import {type EnvEntry, type EnvFile, parseEnvFile} from './env-file.ts'
import {type Ini, type IniSection, parseIni} from './ini.ts'

/** A file that was given, as text. */
export interface ImportedFile {
  /** As notes name it. */
  readonly name: string
  readonly text: string
}

export interface ImportInput {
  readonly producer: ImportedFile
  readonly consumer?: ImportedFile | undefined
  readonly env?: ImportedFile | undefined
  readonly compose?: ImportedFile | undefined
}

export interface Imported {
  /** What goes into the file; undefined where there is no producer to take over. */
  readonly tree: Readonly<Record<string, unknown>> | undefined
  /** Everything that was not taken over as it stood, and why. */
  readonly notes: readonly string[]
}

interface Producer {
  readonly group: string
  readonly symbols: readonly string[]
  readonly topic: string
  readonly partition: number | undefined
}

type Note = (file: string, line: number, text: string) => void

export function importCryptoStream(input: ImportInput): Imported {
  const lines: {file: string; line: number; text: string}[] = []
  const notes: string[] = []
  const note: Note = (file, line, text) => void lines.push({file, line, text})
  const compose = readCompose(input.compose, notes)
  const producers = readProducers(input.producer, compose, note)
  if (producers.length === 0) return {tree: undefined, notes: inOrder(lines, notes)}
  const lastConsumed = input.consumer ? readConsumers(input.consumer, producers, note) : -1
  const brokers = input.env ? readBrokers(input.env, note) : []
  const pin = pinned(producers, notes)
  const partitions = Math.max(lastConsumed, ...Object.values(pin)) + 1
  notes.push(`market.book has ${partitions} partitions: one more than the highest number that is used`)
  if (brokers.length === 0) notes.push('no brokers found: the bus is the embedded one')
  return {tree: toTree(producers, pin, partitions, brokers), notes: inOrder(lines, notes)}
}

/** Notes about lines come first, file by file from the top. */
function inOrder(lines: readonly {file: string; line: number; text: string}[], notes: readonly string[]): string[] {
  const files = [...new Set(lines.map(({file}) => file))]
  const sorted = lines.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line)
  return [...sorted.map(({file, line, text}) => `${file}:${line}: ${text}`), ...notes]
}

function toTree(producers: readonly Producer[], pin: Record<string, number>, partitions: number, brokers: readonly string[]) {
  return {
    version: 1,
    bus: brokers.length > 0 ? {kind: 'kafka', brokers} : {kind: 'embedded'},
    groups: Object.fromEntries(producers.map(({group, symbols}) => [group, symbols])),
    topics: {'market.book': {partitions, pin}},
    sinks: {store: {kind: 'store'}},
    pipelines: [
      {
        name: 'upbit',
        source: {
          kind: 'exchange',
          exchange: 'upbit',
          channels: ['book'],
          symbols: producers.flatMap(({symbols}) => symbols),
          depth: 5,
          format: 'SIMPLE',
        },
        sinks: ['store'],
      },
    ],
  }
}

function readProducers(file: ImportedFile, compose: Compose | undefined, note: Note): Producer[] {
  const seen = new Map<string, string>()
  return readSections(file, note).flatMap((section) => {
    if (compose && !compose.started.has(section.name)) {
      note(file.name, section.line, `[${section.name}] left out: no service of the compose file starts it`)
      return []
    }
    const producer = readProducer(section, file.name, seen, note)
    return producer ? [producer] : []
  })
}

function readSections(file: ImportedFile, note: Note): readonly IniSection[] {
  const {sections, unreadable}: Ini = parseIni(file.text)
  for (const {line, text} of unreadable) note(file.name, line, `'${text}' left out: neither a section nor a key with a value`)
  return sections
}

const PRODUCER_KEYS = ['topic_name', 'partition_number', 'tickers']

function readProducer(section: IniSection, file: string, seen: Map<string, string>, note: Note): Producer | undefined {
  if (!section.name.startsWith('upbit')) {
    note(file, section.line, `[${section.name}] left out: this version imports Upbit producers, whose sections start with 'upbit'`)
    return undefined
  }
  noteUnknown(section, file, PRODUCER_KEYS, note)
  const symbols = readTickers(section, file, seen, note)
  if (symbols.length > 0)
    return {
      group: section.name,
      symbols,
      topic: value(section, 'topic_name') ?? section.name,
      partition: readPartition(section, file, note),
    }
  note(file, section.line, `[${section.name}] left out: it has no tickers`)
  return undefined
}

/** Tickers are coins priced in won: `BTC,ETH`, or `['BTC','ETH']` in the oldest files. */
function readTickers(section: IniSection, file: string, seen: Map<string, string>, note: Note): string[] {
  const line = section.entries.find(({key}) => key === 'tickers')?.line ?? section.line
  const tickers = (value(section, 'tickers') ?? '').replaceAll(/[[\]'"\s]/g, '').split(',')
  return tickers.flatMap((ticker) => {
    if (ticker === '') return []
    const symbol = suggestSymbol(`KRW-${ticker}`)
    const other = symbol === undefined ? undefined : seen.get(symbol)
    if (symbol === undefined) note(file, line, `ticker '${ticker}' left out: no coin is written like this`)
    else if (other !== undefined)
      note(file, line, `ticker '${ticker}' left out: it is already in [${other}], and a symbol is in one group only`)
    else seen.set(symbol, section.name)
    return symbol !== undefined && other === undefined ? [symbol] : []
  })
}

function readPartition(section: IniSection, file: string, note: Note): number | undefined {
  const entry = section.entries.find(({key}) => key === 'partition_number')
  if (entry === undefined || /^\d{1,4}$/.test(entry.value)) return entry && Number(entry.value)
  note(file, entry.line, `partition_number '${entry.value}' left out: a partition is a number from 0`)
  return undefined
}

/** Partition of each group: the number as it stands, or a partition for each topic where older files had a topic for each producer. */
function pinned(producers: readonly Producer[], notes: string[]): Record<string, number> {
  const topics = new Set(producers.map(({topic}) => topic))
  if (topics.size === 1 && producers.every(({partition}) => partition !== undefined)) {
    return Object.fromEntries(producers.map(({group, partition}) => [group, partition ?? 0]))
  }
  const places = [...new Set(producers.map(place))]
  notes.push(
    `topics ${[...topics].join(', ')} become partitions of market.book, in the order of the file: coinpipe has one topic for all order books`,
  )
  return Object.fromEntries(producers.map((producer) => [producer.group, places.indexOf(place(producer))]))
}

function place({topic, partition}: Producer): string {
  return `${topic}/${partition ?? 0}`
}

const CONSUMER_KEYS = ['topic_name', 'partition_number', 'group_name']

/** Returns the highest partition that a consumer of a single shared topic reads, -1 for none. */
function readConsumers(file: ImportedFile, producers: readonly Producer[], note: Note): number {
  const topics = new Set(producers.map(({topic}) => topic))
  let highest = -1
  for (const section of readSections(file, note)) {
    noteUnknown(section, file.name, CONSUMER_KEYS, note)
    const topic = value(section, 'topic_name')
    if (topic === undefined || !topics.has(topic)) {
      note(file.name, section.line, `[${section.name}] left out: no producer writes to its topic '${topic ?? ''}'`)
      continue
    }
    const partition = readPartition(section, file.name, note)
    if (topics.size === 1) highest = Math.max(highest, partition ?? -1)
    const where = section.name.startsWith('gcs')
      ? 'wrote to Google Cloud Storage, which comes with a later version'
      : 'has no counterpart by name'
    const group = value(section, 'group_name') ?? section.name
    note(
      file.name,
      section.line,
      `[${section.name}] ${where}: the embedded store takes its place, reading every partition in place of group '${group}'`,
    )
  }
  return highest
}

/** CryptoStream's brokers listen here for clients of the same network. */
const BROKER_PORT = 9092

const LATER_SETTINGS: Readonly<Record<string, string>> = {
  KEY_PATH: 'for the Google Cloud Storage sink, which comes with a later version',
  BUCKET_NAME: 'for the Google Cloud Storage sink, which comes with a later version',
}

function readBrokers(file: ImportedFile, note: Note): string[] {
  const {entries, unreadable}: EnvFile = parseEnvFile(file.text)
  for (const line of unreadable) note(file.name, line, 'left out: not an assignment')
  return entries.flatMap((entry) => {
    if (/^KAFKA_NODE\d+_INTERNAL_IP$/.test(entry.key) && /^[A-Za-z0-9.-]+$/.test(entry.value)) return [`${entry.value}:${BROKER_PORT}`]
    note(file.name, entry.line, `${entry.key} left out: ${whyNot(entry)}`)
    return []
  })
}

function whyNot({key, value}: EnvEntry): string {
  if (/^KAFKA_NODE\d+_INTERNAL_IP$/.test(key)) return value === '' ? 'it is empty' : 'it is no host name or address'
  if (/^KAFKA_NODE\d+_EXTERNAL_IP$/.test(key)) return 'the brokers are reached by their internal addresses'
  if (key.startsWith('POSTGRES_')) return 'for the Postgres sink, which comes with a later version'
  return LATER_SETTINGS[key] ?? 'coinpipe has no such setting'
}

function readCompose(file: ImportedFile | undefined, notes: string[]): Compose | undefined {
  const compose = file && parseCompose(file.text)
  if (file && !compose) notes.push(`${file.name}: left out: it has no services`)
  for (const {service, image} of compose?.others ?? [])
    notes.push(`${file?.name}: service ${service} (${image}) left out: coinpipe runs without it`)
  return compose
}

function noteUnknown(section: IniSection, file: string, known: readonly string[], note: Note): void {
  for (const {key, line} of section.entries) {
    if (!known.includes(key)) note(file, line, `${key} of [${section.name}] left out: coinpipe has no such setting`)
  }
}

function value(section: IniSection, key: string): string | undefined {
  return section.entries.find((entry) => entry.key === key)?.value
}
