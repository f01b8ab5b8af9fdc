import {readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {errorClasses} from '../../scripts/error-classes.ts'
import {sourceFiles} from '../../scripts/source-files.ts'

const classes = errorClasses()

describe('error codes', () => {
  it('belong to one class each', () => {
    const owners = Map.groupBy(classes, ({code}) => code)
    const shared = [...owners]
      .filter(([, owners]) => owners.length > 1)
      .map(([code, owners]) => `${code}: ${owners.map(({file}) => file).join(', ')}`)
    expect(shared).toEqual([])
  })

  it('are all found, and every class has one', () => {
    const declared = sourceFiles('src').flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/readonly code = '(COINPIPE_\w+)'/g)].map(([, code]) => code),
    )
    expect(classes.map(({code}) => code).sort()).toEqual(declared.sort())
  })

  it('are explained by a doc comment', () => {
    expect(classes.filter(({meaning}) => meaning === '').map(({className, file}) => `${file}: ${className}`)).toEqual([])
  })

  it('are listed in docs/errors.md, and no others are', () => {
    const listed = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `(COINPIPE_\w+)`/gm)].map(([, code]) => code)
    expect(listed).toEqual(classes.map(({code}) => code).sort())
  })
})
