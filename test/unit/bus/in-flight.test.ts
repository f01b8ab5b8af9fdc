import {describe, expect, it} from 'vitest'
import {type Entry, InFlight} from '../../../src/lib/bus/in-flight.ts'

function entries(count: number): {inFlight: InFlight; all: Entry[]; log: string[]; turn(index: number, together?: object): void} {
  const inFlight = new InFlight()
  const all = Array.from(
    {length: count},
    (_, at): Entry => ({memberId: 'm', spans: [{topic: 't', partition: at, epoch: 1, first: at, next: at + 1}]}),
  )
  for (const entry of all) inFlight.add(entry)
  const log: string[] = []
  const turn = (index: number, together?: object) =>
    inFlight.turn(all[index] as Entry, (answer) => log.push(`${index} ${answer}`), together ?? null)
  return {inFlight, all, log, turn}
}

describe('InFlight', () => {
  it('sends commits in the order of deliveries, whatever the order of acks', () => {
    const {log, turn} = entries(3)
    turn(2)
    turn(1)
    expect(log).toEqual([])
    turn(0)
    expect(log).toEqual(['0 commit', '1 commit', '2 commit'])
  })

  it('lets nothing overtake entries that commit together', () => {
    const {inFlight, all, log, turn} = entries(4)
    const transaction = {}
    turn(1, transaction)
    turn(0, transaction)
    turn(2)
    expect(log).toEqual(['0 commit', '1 commit'])
    inFlight.remove(all[0] as Entry)
    expect(log).toHaveLength(2)
    inFlight.remove(all[1] as Entry)
    expect(log.at(-1)).toBe('2 commit')
  })

  it('counts as open what is handed out or waits for its turn, and not what is on its way to be committed', () => {
    const {inFlight, turn} = entries(3)
    turn(1)
    expect([inFlight.open, inFlight.size]).toEqual([3, 3])
    turn(0)
    expect([inFlight.open, inFlight.size]).toEqual([1, 3])
  })

  it('supersedes an entry and all later ones, and tells those that wait', () => {
    const {inFlight, all, log, turn} = entries(3)
    turn(2)
    expect(inFlight.supersede(all[1] as Entry)).toEqual([all[1], all[2]])
    expect(log).toEqual(['2 again'])
    turn(1)
    expect(log.at(-1)).toBe('1 again')
    expect(inFlight.size).toBe(1)
  })

  it('does not tell an entry twice: one that is committing has had its answer', () => {
    const {inFlight, all, log, turn} = entries(1)
    turn(0)
    inFlight.supersede(all[0] as Entry)
    expect(log).toEqual(['0 commit'])
  })

  it('knows which partitions are still out', () => {
    const {inFlight, all} = entries(2)
    expect(inFlight.touches({topic: 't', partition: 1})).toBe(true)
    inFlight.remove(all[1] as Entry)
    expect(inFlight.touches({topic: 't', partition: 1})).toBe(false)
  })

  it('answers closed once it is closed', () => {
    const {inFlight, log, turn} = entries(3)
    turn(1)
    inFlight.close()
    turn(0)
    expect(log).toEqual(['1 closed', '0 closed'])
  })
})
