import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const folder = process.env.COINPIPE_TEST_CAPTURES ?? join(REPOSITORY, '../shared/captures')

/** Folder of real captures, undefined where there is none: they are no part of the repository. */
export const CAPTURES: string | undefined = existsSync(folder) ? folder : undefined

export function capturePath(name: string): string {
  return join(CAPTURES ?? folder, name)
}
