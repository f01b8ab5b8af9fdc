import {accessSync, constants} from 'node:fs'
import {CoinpipeError} from '../core/errors.ts'
import {makeFolder} from '../core/folder.ts'

/** The data folder cannot be made or written: rights, a file in its place, a read-only disk. */
export class DataFolderError extends CoinpipeError {
  readonly code = 'COINPIPE_DATA_FOLDER'
  constructor(path: string, cause: unknown) {
    super(`the data folder ${path} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
      remedy: [`see who may write there: ls -ld ${path}`, 'or choose another one with --data-dir'],
    })
  }
}

/** Makes the data folder where there is none. Throws DataFolderError at once: what waits for the log or the store would wait in vain. */
export function prepareDataFolder(path: string): void {
  try {
    makeFolder(path)
    accessSync(path, constants.W_OK)
  } catch (cause) {
    throw new DataFolderError(path, cause)
  }
}
