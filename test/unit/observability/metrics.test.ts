import {describe, expect, it} from 'vitest'
import {createMetrics} from '../../../src/lib/observability/metrics.ts'

const plain = () => createMetrics({processMetrics: false})

describe('createMetrics', () => {
  it('exports counters and gauges with their labels', async () => {
    const metrics = plain()
    metrics.counter('coinpipe_component_received_total').add(3, {component: 'upbit'})
    metrics.counter('coinpipe_component_received_total').add(2, {component: 'upbit'})
    metrics.gauge('coinpipe_log_bytes').set(4096)
    const text = await metrics.text()
    expect(text).toContain('coinpipe_component_received_total{component="upbit"} 5')
    expect(text).toContain('coinpipe_log_bytes 4096')
    expect(await metrics.text()).toBe(text)
  })

  it('exports histograms', async () => {
    const metrics = plain()
    metrics.histogram('coinpipe_publish_seconds').observe(0.004, {component: 'bus'})
    const text = await metrics.text()
    expect(text).toContain('coinpipe_publish_seconds_bucket{le="0.005",component="bus"} 1')
    expect(text).toContain('coinpipe_publish_seconds_bucket{le="0.0025",component="bus"} 0')
  })

  it('adds the figures of the process by default', async () => {
    expect(await createMetrics().text()).toContain('process_resident_memory_bytes')
    expect(await plain().text()).not.toContain('process_resident_memory_bytes')
  })

  it('sums what matches the given labels', () => {
    const metrics = plain()
    const errors = metrics.counter('coinpipe_component_errors_total')
    errors.add(1, {component: 'upbit', stage: 'decode', code: 'A'})
    errors.add(2, {component: 'upbit', stage: 'decode', code: 'B'})
    errors.add(4, {component: 'store', stage: 'write', code: 'A'})
    expect(metrics.total('coinpipe_component_errors_total')).toBe(7)
    expect(metrics.total('coinpipe_component_errors_total', {component: 'upbit'})).toBe(3)
    expect(metrics.total('coinpipe_spill_bytes')).toBe(0)
  })

  it('refuses other labels than those of the definition, and falling counters', () => {
    const received = plain().counter('coinpipe_component_received_total')
    expect(() => received.add(1, {component: 'upbit', symbol: 'BTC-KRW'})).toThrow('has labels {component}')
    expect(() => received.add(1)).toThrow('has labels {component}')
    expect(() => received.add(-1, {component: 'upbit'})).toThrow('can only rise')
    expect(() => received.add(Number.NaN, {component: 'upbit'})).toThrow('can only rise')
  })

  it('folds label sets without end into one', async () => {
    const metrics = plain()
    const received = metrics.counter('coinpipe_component_received_total')
    for (let i = 0; i < 2000; i++) received.add(1, {component: `c${i}`})
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('coinpipe_component_received_total{'))
    expect(lines).toHaveLength(501)
    expect(lines).toContain('coinpipe_component_received_total{component="other"} 1500')
    expect(metrics.total('coinpipe_component_received_total')).toBe(2000)
  })
})
