import {expect, it} from 'vitest'
import {askInTurn} from '../../../../src/lib/bus/kafka/ask-in-turn.ts'
import {DeadlineError, InvalidInputError} from '../../../../src/lib/core/errors.ts'

const isLocal = (error: unknown) => error instanceof DeadlineError
const fails = (message: string) => () => Promise.reject(new DeadlineError(message))
const hangs = () => new Promise<string>(() => undefined)
const unexpected = () => Promise.reject(new Error('was asked'))

it('asks one alone that answers', async () => {
  expect(await askInTurn([async () => 'first', unexpected], isLocal)).toBe('first')
})

it('asks the next one at once where one fails, and beside one that hangs', async () => {
  const startMs = performance.now()
  expect(await askInTurn([fails('away'), async () => 'second'], isLocal)).toBe('second')
  expect(performance.now() - startMs).toBeLessThan(400)
  expect(await askInTurn([hangs, async () => 'beside'], isLocal)).toBe('beside')
})

it('takes a late answer where those that were asked beside it fail', async () => {
  const late = () => new Promise<string>((resolve) => setTimeout(resolve, 700, 'late'))
  expect(await askInTurn([late, fails('away')], isLocal)).toBe('late')
})

it('fails with the last failure, or at once with one that others would share', async () => {
  await expect(askInTurn([fails('first'), fails('last')], isLocal)).rejects.toThrow('last')
  await expect(askInTurn([() => Promise.reject(new InvalidInputError('wrong')), unexpected], isLocal)).rejects.toThrow('wrong')
})
