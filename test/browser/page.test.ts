import type {Page} from 'playwright-core'
import {describe, expect, it} from 'vitest'
import {useBrowser} from '../helpers/browser.ts'
import {livelyMarket} from '../helpers/market-walk.ts'
import {MemoryMarket} from '../helpers/memory-market.ts'
import {until} from '../helpers/until.ts'
import {startTestServer, trade, trades, watchResponses} from '../helpers/web-server.ts'

const browser = useBrowser()
const START_US = Date.UTC(2026, 0, 5, 6, 0, 0) * 1000

const shownIds = (page: Page) => page.locator('#trades .trade').evaluateAll((rows) => rows.map((row) => row.dataset.id ?? ''))
const text = async (page: Page, id: string) => (await page.locator(`#${id}`).textContent()) ?? ''
const connection = (page: Page) => page.locator('#connection').getAttribute('data-state')

async function lively(options: Parameters<typeof startTestServer>[1] = {}) {
  const made = livelyMarket(START_US)
  const server = await startTestServer(made.market, {pageDirectory: browser.pageDirectory, pollMs: 50, ...options})
  return {...made, server}
}

describe('the live page', () => {
  it('shows trades arriving, and complains about nothing', async () => {
    const {server, bitcoin, market} = await lively()
    const {page, complaints} = await browser.open(server.url)
    await until('the first trades', async () => (await shownIds(page)).length === 60)
    const before = {ids: await shownIds(page), price: await text(page, 'price'), title: await page.title()}
    bitcoin.advance(5, 100_000)
    await until('new trades', async () => (await shownIds(page))[0] !== before.ids[0])
    const ids = await shownIds(page)
    expect(ids.slice(5)).toEqual(before.ids.slice(0, 55))
    const newest = (await market.trades({exchange: 'upbit', symbol: 'BTC-KRW', limit: 60})).trades
    expect(ids).toEqual(newest.map(({id}) => id))
    const price = await text(page, 'price')
    expect(price.replaceAll(',', '')).toBe(newest[0]?.price)
    expect(price).not.toBe(before.price)
    expect(await page.title()).toBe(`${price} BTC-KRW · coinpipe`)
    expect(await connection(page)).toBe('live')
    expect(complaints).toEqual([])
  })

  it('shows book, change and figures of the day', async () => {
    const {server} = await lively()
    const {page} = await browser.open(server.url)
    await page.locator('#bids .level').first().waitFor()
    expect(await text(page, 'change-rate')).toMatch(/^(▲|▼) \d+\.\d\d%$/)
    expect(await text(page, 'change-basis')).toBe('today (UTC)')
    const number = async (id: string) => Number((await text(page, id)).replaceAll(',', ''))
    expect(await number('best-bid')).toBeLessThan(await number('best-ask'))
    expect(await number('high')).toBeGreaterThan(await number('low'))
    expect(await text(page, 'spread')).toBe('Spread 2,000')
  })

  it('keeps every digit of small prices and sizes, and lines them up', async () => {
    const market = new MemoryMarket()
    market.store({...trade(1), price: '0.00000099', size: '123456789.123456789'}, {...trade(2), price: '0.0000012', size: '1'})
    const server = await startTestServer(market, {pageDirectory: browser.pageDirectory})
    const {page} = await browser.open(server.url)
    await page.locator('#trades .trade').nth(1).waitFor()
    expect(await page.locator('.trade-price').allTextContents()).toEqual(['0.00000120', '0.00000099'])
    expect(await page.locator('.trade-size').allTextContents()).toEqual(['1', '123,456,789.123456789'])
    expect(await text(page, 'price')).toBe('0.00000120')
  })

  it('begins with minutes, or with seconds where there are few', async () => {
    const {server} = await lively()
    const {page} = await browser.open(server.url)
    await page.locator('.interval[aria-pressed="true"]', {hasText: /^1m$/}).waitFor()
    const market = new MemoryMarket()
    market.store(...trades(0, 3))
    const young = await startTestServer(market, {pageDirectory: browser.pageDirectory})
    await page.goto(young.url)
    await page.locator('.interval[aria-pressed="true"]', {hasText: /^1s$/}).waitFor()
  })

  it('draws candles of the chosen interval', async () => {
    const {server, bitcoin} = await lively()
    const {page, complaints} = await browser.open(server.url)
    await page.locator('#chart canvas').first().waitFor()
    for (const [name, isEmpty] of [
      ['1h', false],
      ['5m', true],
      ['1s', false],
    ] as const) {
      const answered = page.waitForResponse(
        (response) => response.url().includes(`/api/candles`) && response.url().includes(`interval=${name}`),
      )
      await page.getByRole('button', {name, exact: true}).click()
      await answered
      await until('the note on an empty chart', async () => (await page.locator('#chart-empty').isVisible()) === isEmpty)
      expect(await page.locator('.interval[aria-pressed="true"]').textContent()).toBe(name)
    }
    bitcoin.advance(20, 300_000)
    await until('trades after the switch', async () => (await shownIds(page)).length === 60)
    expect(complaints).toEqual([])
  })
})

describe('choosing a market', () => {
  it('opens the one of the address, and goes back and forth', async () => {
    const {server} = await lively()
    const {page} = await browser.open(`${server.url}?market=upbit:XRP-USDT`)
    await until('ripple', async () => (await shownIds(page))[0]?.includes('XRP-USDT'))
    expect(await text(page, 'picker-symbol')).toBe('XRP/USDT')
    await page.locator('#picker').click()
    await page.locator('#market-search').fill('btc')
    await page.keyboard.press('Enter')
    await until('bitcoin', async () => (await shownIds(page))[0]?.includes('BTC-KRW'))
    expect((await shownIds(page)).filter((id) => !id.includes('BTC-KRW'))).toEqual([])
    expect(new URL(page.url()).search).toBe('?market=upbit:BTC-KRW')
    await page.goBack()
    await until('ripple again', async () => (await shownIds(page))[0]?.includes('XRP-USDT'))
    expect(await text(page, 'quote')).toBe('USDT')
  })

  it('can be done by keyboard alone', async () => {
    const {server} = await lively()
    const {page} = await browser.open(server.url)
    await page.locator('#trades .trade').first().waitFor()
    await page.locator('#picker').press('Enter')
    expect(await page.locator('.market.active').textContent()).toContain('BTC/KRW')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await until('ripple', async () => (await text(page, 'picker-symbol')) === 'XRP/USDT')
    await page.locator('#picker').press('Enter')
    await page.keyboard.press('Escape')
    expect(await page.locator('#markets').isVisible()).toBe(false)
  })

  it('waits for a market that has no trades yet', async () => {
    const market = new MemoryMarket()
    const server = await startTestServer(market, {pageDirectory: browser.pageDirectory})
    const {page, complaints} = await browser.open(server.url)
    await until('the empty page', async () => (await text(page, 'empty-title')) === 'Waiting for the first trade')
    market.store(...trades(0, 3))
    await until('the first trades', async () => (await shownIds(page)).length === 3)
    await page.goto(`${server.url}?market=upbit:DOGE-KRW`)
    await until('the note', async () => (await text(page, 'empty-title')) === 'No trades of this market yet')
    market.store(...trades(0, 2, 'DOGE-KRW'))
    await until('the first trades of the other market', async () => (await shownIds(page)).length === 2)
    expect(complaints).toEqual([])
  })
})

describe('trouble', () => {
  it('goes on after the server was away, without a gap or a double in the list', async () => {
    const {server, bitcoin, market} = await lively()
    const {page} = await browser.open(server.url)
    await until('the first trades', async () => (await shownIds(page)).length === 60)
    const port = Number(new URL(server.url).port)
    await server.close()
    await until('the note', async () => (await connection(page)) === 'reconnecting')
    bitcoin.advance(25, 100_000)
    await startTestServer(market, {pageDirectory: browser.pageDirectory, pollMs: 50, port})
    await until('the page to be back', async () => (await connection(page)) === 'live', 15_000)
    bitcoin.advance(5, 100_000)
    const newest = (await market.trades({exchange: 'upbit', symbol: 'BTC-KRW', limit: 60})).trades.map(({id}) => id)
    await until('the newest trades', async () => (await shownIds(page))[0] === newest[0])
    expect(await shownIds(page)).toEqual(newest)
  })

  it('goes on after a broken connection where it was', async () => {
    const responses = watchResponses()
    const {server, bitcoin, market} = await lively()
    const {page} = await browser.open(server.url)
    await until('the first trades', async () => (await shownIds(page)).length === 60)
    for (let drop = 1; drop <= 2; drop++) {
      for (const response of responses) response.destroy()
      bitcoin.advance(7, 100_000)
      await until('the note', async () => (await connection(page)) === 'reconnecting')
      await until('the page to be back', async () => (await connection(page)) === 'live')
      const newest = (await market.trades({exchange: 'upbit', symbol: 'BTC-KRW', limit: 60})).trades.map(({id}) => id)
      await until('the missed trades', async () => (await shownIds(page))[0] === newest[0])
      expect(await shownIds(page)).toEqual(newest)
    }
  })

  it('says when the store is gone, keeps what it shows, and goes on by itself', async () => {
    const {server, bitcoin, market} = await lively()
    const {page} = await browser.open(server.url)
    await until('the first trades', async () => (await shownIds(page)).length === 60)
    market.gone = true
    await until('the note', async () => (await connection(page)) === 'store-gone')
    expect(await shownIds(page)).toHaveLength(60)
    bitcoin.advance(3, 100_000)
    market.gone = false
    await until('the page to be back', async () => (await connection(page)) === 'live')
    const newest = (await market.trades({exchange: 'upbit', symbol: 'BTC-KRW', limit: 60})).trades.map(({id}) => id)
    await until('the newest trades', async () => (await shownIds(page))[0] === newest[0])
    expect(await shownIds(page)).toEqual(newest)
  })

  it('says so when the store is not there at the start', async () => {
    const {server, market} = await lively()
    market.gone = true
    const {page} = await browser.open(server.url)
    await until('the note', async () => (await text(page, 'empty-title')) === 'The store cannot be read')
    market.gone = false
    await until('the first trades', async () => (await shownIds(page)).length === 60)
  })

  it('shows text from the exchange as text', async () => {
    const {server, market} = await lively()
    market.store({...trade(1), tradeId: '<img src=x onerror=alert(1)>', id: '<img src=x onerror=alert(1)>', size: '<b>1</b>'})
    market.store({...trade(2), eventTime: START_US * 2, id: 'last', size: '<b>1</b>'})
    const {page, complaints} = await browser.open(server.url)
    await page.locator('#trades .trade').first().waitFor()
    expect(await page.locator('.trade-size').first().textContent()).toBe('<b>1</b>')
    expect(await page.locator('#trades b, #trades img').count()).toBe(0)
    expect(complaints).toEqual([])
  })
})

describe('how it looks', () => {
  it('is marked where the market is simulated, and only there', async () => {
    const {server, market} = await lively({simulated: true})
    const {page} = await browser.open(server.url)
    await page.locator('#simulated').waitFor()
    expect(await text(page, 'simulated')).toBe('SIMULATED')
    const real = await startTestServer(market, {pageDirectory: browser.pageDirectory})
    await page.goto(real.url)
    await page.locator('#trades .trade').first().waitFor()
    expect(await page.locator('#simulated').isVisible()).toBe(false)
  })

  it('speaks Korean to those who read it', async () => {
    const {server} = await lively({simulated: true})
    const {page} = await browser.open(server.url, {locale: 'ko-KR'})
    await page.locator('#trades .trade').first().waitFor()
    expect(await text(page, 'picker-exchange')).toBe('업비트')
    expect(await text(page, 'simulated')).toBe('모의 데이터')
    expect(await text(page, 'connection')).toBe('실시간')
    expect(await page.locator('html').getAttribute('lang')).toBe('ko-KR')
  })

  it.each([320, 390, 768, 1280, 1920])('fits a screen %d wide', async (width) => {
    const {server} = await lively()
    const {page} = await browser.open(server.url, {viewport: {width, height: 800}})
    await page.locator('#trades .trade').first().waitFor()
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(overflow).toBe(0)
    for (const id of ['picker', 'price', 'chart', 'trades']) expect(await page.locator(`#${id}`).isVisible()).toBe(true)
  })

  it('does not move for those who asked for less motion', async () => {
    const {server, bitcoin} = await lively()
    const {page} = await browser.open(server.url, {reducedMotion: 'reduce'})
    await page.locator('#trades .trade').first().waitFor()
    const before = (await shownIds(page))[0]
    bitcoin.advance(5, 100_000)
    await until('new trades', async () => (await shownIds(page))[0] !== before)
    const animated = await page.evaluate(() => document.getAnimations().length)
    expect(animated).toBe(0)
  })
})
