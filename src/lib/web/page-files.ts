import {readFile} from 'node:fs/promises'
import {PageMissingError} from './errors.ts'

export interface PageFile {
  readonly body: Buffer
  readonly contentType: string
}

/** Every file of the page by the path it is served at. Nothing else is ever read, so a request can't name another file. */
const FILES: Readonly<Record<string, readonly [file: string, contentType: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/app.css': ['app.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
}

/** True inside the bundle (set by the build), false when Node runs the sources. */
declare const COINPIPE_BUNDLED: boolean | undefined

/** Where the build puts the page: beside the bundle, or in the checkout's dist/ when the sources run. */
export function builtPageDirectory(): URL {
  const bundled = typeof COINPIPE_BUNDLED !== 'undefined' && COINPIPE_BUNDLED
  return new URL(bundled ? './page/' : '../../../dist/page/', import.meta.url)
}

/** Reads the built page from `directory` into memory; throws PageMissingError where it was not built. */
export async function readPageFiles(directory: URL): Promise<ReadonlyMap<string, PageFile>> {
  const entries = Object.entries(FILES).map(async ([path, [file, contentType]]) => {
    const url = new URL(file, directory)
    const body = await readFile(url).catch((cause: unknown) => {
      throw new PageMissingError(url.pathname, cause)
    })
    return [path, {body, contentType}] as const
  })
  return new Map(await Promise.all(entries))
}
