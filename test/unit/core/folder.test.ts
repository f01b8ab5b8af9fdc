import {statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {makeFolder} from '../../../src/lib/core/folder.ts'
import {tempDir} from '../../helpers/temp-dir.ts'

describe('makeFolder', () => {
  it('makes a folder and those above it, again and again', async () => {
    const path = join(await tempDir(), 'a/b/c')
    makeFolder(path)
    makeFolder(path)
    expect(statSync(path).isDirectory()).toBe(true)
  })

  it('says that a file is in the way', async () => {
    const file = join(await tempDir(), 'file')
    writeFileSync(file, '')
    expect(() => makeFolder(file)).toThrow('EEXIST')
    expect(() => makeFolder(join(file, 'below'))).toThrow('EEXIST')
  })

  it.skipIf(process.platform !== 'linux')(
    'ends where the file system says that a folder is missing whose parent is there (Linux: /proc)',
    () => {
      expect(() => makeFolder('/proc/coinpipe/log')).toThrow('ENOENT')
    },
  )
})
