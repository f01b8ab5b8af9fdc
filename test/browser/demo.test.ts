import {describe, expect, it} from 'vitest'
import {useBrowser} from '../helpers/browser.ts'
import {COINPIPE, type Started, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

const browser = useBrowser()

/** The address that a started command prints. */
async function addressOf({saw, output}: Started): Promise<string> {
  await saw(/"url":"http:[^"]+\/".*live page/)
  return /"url":"(http:[^"]+\/)"/.exec(output().stderr)?.[1] ?? ''
}

describe('coinpipe demo, in a browser', () => {
  it('shows a simulated market live, and another process serves the same', async () => {
    const dataDir = await tempDir()
    const demo = start(COINPIPE, ['demo', '--keep', '--data-dir', dataDir, '--port', '0', '--rate', '300', '--json'])
    const {page, complaints} = await browser.open(await addressOf(demo))
    await page.locator('#trades .trade').nth(30).waitFor()
    const newest = () => page.locator('#trades .trade').first().getAttribute('data-id')
    const [firstTrade, firstPrice] = [await newest(), await page.locator('#price').textContent()]
    await until('trades to arrive', async () => (await newest()) !== firstTrade)
    await until('the price to change', async () => (await page.locator('#price').textContent()) !== firstPrice)
    await page.locator('#simulated').waitFor()
    await page.locator('.interval[aria-pressed="true"]', {hasText: /^1s$/}).waitFor()
    await page.locator('#chart-empty').waitFor({state: 'hidden'})
    await page.locator('#bids .level').first().waitFor()
    expect(await page.locator('#change-rate').textContent()).toMatch(/^([▲▼] )?\d+\.\d\d%$/)
    expect(await page.locator('#connection').getAttribute('data-state')).toBe('live')
    expect(complaints).toEqual([])

    const serve = start(COINPIPE, ['serve', '--data-dir', dataDir, '--port', '0'])
    const other = await browser.open(`${await addressOf(serve)}?market=upbit:ETH-KRW`)
    await until('the other market', async () => (await other.page.locator('#picker-symbol').textContent()) === 'ETH/KRW')
    await other.page.locator('#trades .trade').nth(3).waitFor()
    await other.page.locator('#simulated').waitFor()
    expect(other.complaints).toEqual([])
    serve.child.kill('SIGINT')
    expect((await serve.ended).code).toBe(0)

    demo.child.kill('SIGINT')
    const {code, stdout} = await demo.ended
    expect({code, summary: JSON.parse(stdout)}).toMatchObject({code: 0, summary: {lost: 0, duplicated: 0}})
    await until('the page to notice', async () => (await page.locator('#connection').getAttribute('data-state')) === 'reconnecting')
  })
})
