import {describe, expect, it} from 'vitest'
import type {Nemesis, NemesisOp} from '../../src/lib/core/ports/nemesis.ts'

export interface NemesisSubject {
  readonly nemesis: Nemesis
  readonly op: NemesisOp
  /** Whether what the fault breaks works. */
  works(): Promise<boolean>
}

/** What every nemesis holds to. */
export function nemesisContract(name: string, open: () => Promise<NemesisSubject>): void {
  describe(`${name} as a nemesis`, () => {
    it('resolves once the fault is visible, and mends it', async () => {
      const {nemesis, op, works} = await open()
      expect(await works()).toBe(true)
      expect((await nemesis.inject(op)).touched).toHaveLength(1)
      expect(await works()).toBe(false)
      expect((await nemesis.heal()).touched).toHaveLength(1)
      expect(await works()).toBe(true)
    })

    it('heals twice, and with nothing broken', async () => {
      const {nemesis, op, works} = await open()
      expect((await nemesis.heal()).touched).toEqual([])
      await nemesis.inject(op)
      await nemesis.heal()
      expect((await nemesis.heal()).touched).toEqual([])
      expect(await works()).toBe(true)
    })

    it('refuses a fault or a target that it does not know', async () => {
      const {nemesis, op, works} = await open()
      await expect(nemesis.inject({...op, f: 'no-such-fault'})).rejects.toMatchObject({code: 'COINPIPE_FAULT_REFUSED'})
      await expect(nemesis.inject({...op, target: 'nobody'})).rejects.toMatchObject({code: 'COINPIPE_FAULT_REFUSED'})
      expect(await works()).toBe(true)
    })

    it('refuses to break what is broken already', async () => {
      const {nemesis, op} = await open()
      await nemesis.inject(op)
      await expect(nemesis.inject(op)).rejects.toMatchObject({code: 'COINPIPE_FAULT_REFUSED'})
      await nemesis.heal()
    })
  })
}
