import {copyFile, mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import sparticuz from '@sparticuz/chromium'
import {build} from 'esbuild'
import {type Browser, type BrowserContextOptions, chromium, type Page} from 'playwright-core'
import {afterAll, beforeAll, onTestFinished} from 'vitest'

const PAGE_SOURCES = new URL('../../src/lib/web/page/', import.meta.url)
/** The page of a test may talk to its own server and to nobody else, so everything by which a browser calls home is off. */
const CHROMIUM_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface PageWatch {
  readonly page: Page
  /** Console errors, uncaught exceptions and requests to anywhere but the page's own server. */
  readonly complaints: string[]
}

/** One real headless Chromium and one build of the page for all tests of a file. */
export function useBrowser() {
  let browser: Browser
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'coinpipe-page-'))
    await buildPage(join(directory, 'page'))
    browser = await chromium.launch({executablePath: await sparticuz.executablePath(), args: CHROMIUM_ARGS})
  })
  afterAll(async () => {
    await browser?.close()
    await rm(directory, {recursive: true, force: true})
  })
  return {
    get pageDirectory(): URL {
      return pathToFileURL(`${directory}/page/`)
    },
    /** Opens a page of its own session; closed at the end of the test. */
    async open(url: string, options: BrowserContextOptions = {}): Promise<PageWatch> {
      const context = await browser.newContext({locale: 'en-US', timezoneId: 'Asia/Seoul', ...options})
      onTestFinished(() => context.close())
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('request', (request) => new URL(request.url()).origin !== new URL(url).origin && complaints.push(request.url()))
      await page.goto(url)
      return {page, complaints}
    },
  }
}

async function buildPage(directory: string): Promise<void> {
  await mkdir(directory)
  await build({
    entryPoints: [new URL('app.ts', PAGE_SOURCES).pathname],
    outfile: join(directory, 'app.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    logLevel: 'warning',
  })
  for (const name of ['index.html', 'app.css', 'icon.svg']) await copyFile(new URL(name, PAGE_SOURCES), join(directory, name))
}
