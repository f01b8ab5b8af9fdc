import {expect, it} from 'vitest'
import {chosenStore} from '../../../src/lib/cli/store-flags.ts'
import type {Config} from '../../../src/lib/config/load.ts'

function configWith(...kinds: readonly ('store' | 'cassandra')[]): Config {
  return {sinks: Object.fromEntries(kinds.map((kind) => [kind, {kind}]))} as unknown as Config
}

it('reads from the store that is named, else from the one that a flag is about, else from the one that the config fills', () => {
  const choices = [
    [chosenStore(configWith(), {}), 'embedded'],
    [chosenStore(configWith('store', 'cassandra'), {}), 'embedded'],
    [chosenStore(configWith('cassandra'), {}), 'cassandra'],
    [chosenStore(configWith('cassandra'), {store: 'embedded'}), 'embedded'],
    [chosenStore(configWith('store'), {hosts: '10.0.0.1'}), 'cassandra'],
    [chosenStore(configWith('store'), {sink: 'cass', store: 'embedded'}), 'embedded'],
  ]
  for (const [chosen, expected] of choices) expect(chosen).toBe(expected)
})
