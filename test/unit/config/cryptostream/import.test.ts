import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {importCryptoStream} from '../../../../src/lib/config/cryptostream/import.ts'
import {importFiles} from '../../../../src/lib/config/cryptostream/import-files.ts'
import {ConfigFileError} from '../../../../src/lib/config/errors.ts'
import {checkConfig, loadConfig} from '../../../../src/lib/config/load.ts'
import {createRouter} from '../../../../src/lib/core/router.ts'

const FIXTURES = join(import.meta.dirname, '../../../fixtures/cryptostream')
const fixture = (name: string) => join(FIXTURES, name)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coinpipe-import-'))
})
afterEach(() => rm(folder, {recursive: true}))

const producer = (text: string) => importCryptoStream({producer: {name: 'producer.conf', text}})

describe('importFiles', () => {
  const all = {
    producer: fixture('producer.conf'),
    consumer: fixture('consumer.conf'),
    env: fixture('cryptostream.env'),
    replace: false,
  }

  it('writes a file that passes the check and routes as CryptoStream did', async () => {
    const out = join(folder, 'coinpipe.yaml')
    await importFiles({...all, out})
    const {problems} = await checkConfig({path: out, env: {}, defaultDataDir: folder})
    expect(problems.map(({severity, path}) => [severity, path])).toEqual([])
    const {config} = await loadConfig({path: out, env: {}, defaultDataDir: folder})
    expect(config.bus).toMatchObject({kind: 'kafka', brokers: ['192.168.0.2:9092', '192.168.0.3:9092'], acks: 1})
    expect(config.pipelines[0]?.source).toMatchObject({channels: ['book'], depth: 5, format: 'SIMPLE'})
    const {partitionOf} = createRouter(config)
    const partition = (symbol: string) => partitionOf('market.book', {exchange: 'upbit', symbol})
    expect(['BTC-KRW', 'ETH-KRW', 'SOL-KRW', 'ETC-KRW', 'XRP-KRW', 'BCH-KRW'].map(partition)).toEqual([0, 0, 1, 1, 3, 3])
  })

  it('names everything that it does not take over, and no secret', async () => {
    const {text, notes} = await importFiles(all)
    expect(notes).toEqual([
      "producer.conf:15: ticker 'BTC' left out: it is already in [upbit_producer1], and a symbol is in one group only",
      'producer.conf:17: maxlen of [upbit_producer3] left out: coinpipe has no such setting',
      "producer.conf:19: [bithumb_producer1] left out: this version imports Upbit producers, whose sections start with 'upbit'",
      "consumer.conf:1: [gcs_consumer1] wrote to Google Cloud Storage, which comes with a later version: the embedded store takes its place, reading every partition in place of group 'gcs_consumer'",
      "consumer.conf:6: [gcs_consumer2] wrote to Google Cloud Storage, which comes with a later version: the embedded store takes its place, reading every partition in place of group 'gcs_consumer'",
      "consumer.conf:11: [gcs_consumer3] left out: no producer writes to its topic 'trades'",
      'cryptostream.env:1: KEY_PATH left out: for the Google Cloud Storage sink, which comes with a later version',
      'cryptostream.env:2: BUCKET_NAME left out: for the Google Cloud Storage sink, which comes with a later version',
      'cryptostream.env:4: POSTGRES_HOST left out: for the Postgres sink, which comes with a later version',
      'cryptostream.env:5: POSTGRES_PASSWORD left out: for the Postgres sink, which comes with a later version',
      'cryptostream.env:9: KAFKA_NODE3_INTERNAL_IP left out: it is empty',
      'cryptostream.env:10: KAFKA_NODE1_EXTERNAL_IP left out: the brokers are reached by their internal addresses',
      'cryptostream.env:11: left out: not an assignment',
      'market.book has 6 partitions: one more than the highest number that is used',
    ])
    expect(text).not.toContain('hunter2')
    for (const note of notes) expect(text).toContain(`# - ${note}`)
  })

  it('leaves out producers that no service starts', async () => {
    const {config, notes} = await importFiles({...all, compose: fixture('docker-compose.yaml')})
    expect(config.groups).toEqual({upbit_producer1: ['BTC-KRW', 'ETH-KRW'], upbit_producer2: ['SOL-KRW', 'ETC-KRW']})
    expect(notes).toContain('producer.conf:12: [upbit_producer3] left out: no service of the compose file starts it')
    expect(notes).toContain('docker-compose.yaml: service postgres (postgres:13) left out: coinpipe runs without it')
  })

  it('keeps a file that is there unless told otherwise', async () => {
    const out = join(folder, 'coinpipe.yaml')
    await writeFile(out, 'mine')
    await expect(importFiles({...all, out})).rejects.toThrow(ConfigFileError)
    expect(await readFile(out, 'utf8')).toBe('mine')
    await importFiles({...all, out, replace: true})
    expect(await readFile(out, 'utf8')).toContain('upbit_producer1')
  })

  it('says which file cannot be read, and why there is nothing to import', async () => {
    await expect(importFiles({...all, env: fixture('nope')})).rejects.toThrow(/cannot read .*nope: ENOENT/)
    await expect(importFiles({...all, producer: fixture('consumer.conf')})).rejects.toThrow(/has no producer to import\nconsumer\.conf:1:/)
  })
})

describe('importCryptoStream', () => {
  it('makes a partition of each topic where older files had one for each producer', () => {
    const {tree, notes} = producer(
      '[upbit_producer1]\ntopic_name=orderbook1\ntickers=BTC\n[upbit_producer2]\ntopic_name=orderbook2\ntickers=ETH',
    )
    expect(tree?.topics).toEqual({'market.book': {partitions: 2, pin: {upbit_producer1: 0, upbit_producer2: 1}}})
    expect(tree?.bus).toEqual({kind: 'embedded'})
    expect(notes).toContain(
      'topics orderbook1, orderbook2 become partitions of market.book, in the order of the file: coinpipe has one topic for all order books',
    )
  })

  it('reads the list syntax of the oldest files', () => {
    const {tree, notes} = producer("[upbit_producer1]\nqueue=upbit_q1\ntickers=['BTC','ETH']")
    expect(tree?.groups).toEqual({upbit_producer1: ['BTC-KRW', 'ETH-KRW']})
    expect(notes).toContain('producer.conf:2: queue of [upbit_producer1] left out: coinpipe has no such setting')
  })

  it('reads defaults, comments and both separators', () => {
    const {tree} = producer('; books\n[DEFAULT]\ntopic_name = orderbook\n[upbit_a]\nPartition_Number: 2\ntickers = BTC')
    expect(tree?.topics).toEqual({'market.book': {partitions: 3, pin: {upbit_a: 2}}})
  })

  it('names lines, tickers and partitions that it cannot use', () => {
    const {notes} = producer('stray\n[upbit_a]\npartition_number=first\ntickers=BTC,B?T\n[upbit_b]\ntickers=')
    expect(notes).toEqual(
      expect.arrayContaining([
        "producer.conf:1: 'stray' left out: neither a section nor a key with a value",
        "producer.conf:3: partition_number 'first' left out: a partition is a number from 0",
        "producer.conf:4: ticker 'B?T' left out: no coin is written like this",
        'producer.conf:5: [upbit_b] left out: it has no tickers',
      ]),
    )
  })
})
