import {describe, expect, it, onTestFinished} from 'vitest'
import {NotConnectedError} from '../../src/lib/core/errors.ts'
import type {Checkpoints} from '../../src/lib/core/ports/checkpoints.ts'

/** One set of states that several handles open, as several processes would. */
export interface CheckpointsWorld {
  handle(): Checkpoints
  destroy(): Promise<void>
}

export interface CheckpointsContractOptions {
  readonly name: string
  readonly open: () => Promise<CheckpointsWorld>
}

/** What every Checkpoints promises. */
export function checkpointsContract(options: CheckpointsContractOptions): void {
  const connect = async () => {
    const world = await options.open()
    const handles: Checkpoints[] = []
    onTestFinished(async () => {
      for (const handle of handles) await handle.close()
      await world.destroy()
    })
    return async () => {
      const handle = world.handle()
      handles.push(handle)
      await handle.connect()
      return handle
    }
  }

  describe(`checkpoints contract: ${options.name}`, () => {
    it('opens, checks, closes, closes again, and refuses work when it is not open', async () => {
      const next = await connect()
      const checkpoints = await next()
      await checkpoints.connect()
      await checkpoints.check()
      await checkpoints.close()
      await checkpoints.close()
      await expect(checkpoints.get('a')).rejects.toBeInstanceOf(NotConnectedError)
      await expect(checkpoints.check()).rejects.toBeInstanceOf(NotConnectedError)
    })

    it('gives null for what was never put, and counts versions from 1', async () => {
      const checkpoints = await (await connect())()
      expect(await checkpoints.get('a')).toBeNull()
      expect(await checkpoints.put('a', 'one')).toBe(1)
      expect(await checkpoints.put('a', 'two')).toBe(2)
      expect(await checkpoints.get('a')).toEqual({value: 'two', version: 2})
      expect(await checkpoints.get('b')).toBeNull()
    })

    it('keeps text exactly', async () => {
      const checkpoints = await (await connect())()
      const text = `비트코인 🚀 "quoted" \u0000 ${'x'.repeat(100_000)}`
      await checkpoints.put('키 with spaces', text)
      await checkpoints.put('', '')
      expect((await checkpoints.get('키 with spaces'))?.value).toBe(text)
      expect(await checkpoints.get('')).toEqual({value: '', version: 1})
    })

    it('puts at the version asked for, and answers a clash with the version found', async () => {
      const checkpoints = await (await connect())()
      expect(await checkpoints.putIfVersion('a', 'x', 3)).toEqual({ok: false, version: 0})
      expect(await checkpoints.putIfVersion('a', 'one', 0)).toEqual({ok: true, version: 1})
      expect(await checkpoints.putIfVersion('a', 'again', 0)).toEqual({ok: false, version: 1})
      expect(await checkpoints.putIfVersion('a', 'two', 1)).toEqual({ok: true, version: 2})
      expect(await checkpoints.get('a')).toEqual({value: 'two', version: 2})
    })

    it('shows one handle what another put, also after both were closed', async () => {
      const next = await connect()
      const [first, second] = [await next(), await next()]
      await first.put('a', 'one')
      expect(await second.get('a')).toEqual({value: 'one', version: 1})
      await first.close()
      await second.close()
      expect(await (await next()).get('a')).toEqual({value: 'one', version: 1})
    })

    it('lets exactly one of several win', async () => {
      const next = await connect()
      const handles = [await next(), await next(), await next()]
      for (let version = 0; version < 20; version++) {
        const answers = await Promise.all(handles.map((handle, at) => handle.putIfVersion('lease', `holder ${at}`, version)))
        expect(answers.filter(({ok}) => ok)).toHaveLength(1)
        expect(new Set(answers.map((answer) => answer.version))).toEqual(new Set([version + 1]))
      }
    })
  })
}
