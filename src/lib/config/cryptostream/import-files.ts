import {readFile, writeFile} from 'node:fs/promises'
import {basename} from 'node:path'
import {ConfigFileError} from '../errors.ts'
import {type ImportedFile, importCryptoStream} from './import.ts'
import {renderImported} from './render.ts'

/** Paths of the files to import, and of the one to write. */
export interface ImportFilesOptions {
  readonly producer: string
  readonly consumer?: string | undefined
  readonly env?: string | undefined
  readonly compose?: string | undefined
  readonly out?: string | undefined
  /** Whether `out` may be replaced. */
  readonly replace: boolean
}

export interface ImportedText {
  readonly text: string
  readonly config: Readonly<Record<string, unknown>>
  readonly notes: readonly string[]
}

/** Reads CryptoStream's files and writes the coinpipe.yaml where `out` is given. Throws ConfigFileError. */
export async function importFiles(options: ImportFilesOptions): Promise<ImportedText> {
  const producer = await read(options.producer)
  const [consumer, env, compose] = await Promise.all(
    [options.consumer, options.env, options.compose].map((path) => (path === undefined ? undefined : read(path))),
  )
  const {tree, notes} = importCryptoStream({producer, consumer, env, compose})
  if (!tree) {
    throw new ConfigFileError([`${options.producer} has no producer to import`, ...notes].join('\n'), {
      remedy: ['a section looks like this: [upbit_producer1], topic_name=orderbook, partition_number=0, tickers=BTC,ETH'],
    })
  }
  const sources = [producer, consumer, env, compose].flatMap((file) => (file ? [file.name] : []))
  const text = renderImported(tree, notes, sources)
  if (options.out !== undefined) await write(options.out, text, options.replace)
  return {text, config: tree, notes}
}

async function read(path: string): Promise<ImportedFile> {
  try {
    return {name: basename(path), text: await readFile(path, 'utf8')}
  } catch (error) {
    throw new ConfigFileError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`, {
      cause: error,
      remedy: ['name a file that is there'],
    })
  }
}

async function write(path: string, text: string, replace: boolean): Promise<void> {
  try {
    await writeFile(path, text, {flag: replace ? 'w' : 'wx'})
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    throw new ConfigFileError(`cannot write ${path}: ${code === 'EEXIST' ? 'it is there already' : code}`, {
      cause: error,
      remedy: [code === 'EEXIST' ? 'replace it with --yes, or name another file' : 'name a file in a folder that can be written to'],
    })
  }
}
