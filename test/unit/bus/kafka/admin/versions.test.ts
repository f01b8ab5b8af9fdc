import {describe, expect, it} from 'vitest'
import {releaseOfMetadataVersion, releaseOfProtocolVersion} from '../../../../../src/lib/bus/kafka/admin/versions.ts'

describe('release of a broker', () => {
  it.each([
    [7, '3.3'],
    [9, '3.5'],
    [11, '3.5'],
    [21, '3.9'],
    [22, '4.0'],
    [30, '4.3'],
    [99, 'newer than 4.3'],
  ])('metadata.version %i is %s', (level, release) => {
    expect(releaseOfMetadataVersion(level)).toBe(release)
  })

  it.each([
    ['3.9-IV0', '3.9'],
    ['2.8', '2.8'],
    ['', null],
  ])('protocol version %s is %s', (version, release) => {
    expect(releaseOfProtocolVersion(version)).toBe(release)
  })
})
