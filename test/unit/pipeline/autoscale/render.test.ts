import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {parseAllDocuments} from 'yaml'
import {loadConfig} from '../../../../src/lib/config/load.ts'
import {type Manifest, manifestText, type RenderOptions, renderKubernetes} from '../../../../src/lib/pipeline/autoscale/render.ts'
import {tempDir} from '../../../helpers/temp-dir.ts'

const LIMITS = {min: 1, max: 6, targetLagMs: 30_000, stabilizeMs: 15_000, coolDownMs: 120_000}
const KAFKA = 'bus: {kind: kafka, brokers: [kafka-1:9092, kafka-2:9092]}'

async function options(changes: Partial<RenderOptions> = {}, bus = KAFKA): Promise<RenderOptions> {
  const path = join(await tempDir(), 'coinpipe.yaml')
  writeFileSync(path, `version: 1\n${bus}\n`)
  const {config} = await loadConfig({path, env: {SECRET: 'hunter2'}, flags: {}, defaultDataDir: '/data'})
  return {
    rendering: 'keda',
    kind: 'cassandra',
    group: 'sink.cassandra',
    topics: ['market.trade'],
    bus: config.bus,
    limits: LIMITS,
    lagPerWorker: 100_000,
    drainMs: 30_000,
    image: 'registry.example/coinpipe:1',
    args: ['sink', 'cassandra', '--skip-expired'],
    hasConfig: true,
    metrics: {host: '0.0.0.0', port: 9464},
    ...changes,
  }
}

/** What kubectl would read. */
async function applied(...args: Parameters<typeof options>): Promise<Manifest[]> {
  const documents = parseAllDocuments(manifestText(renderKubernetes(await options(...args))))
  return documents.map((document) => document.toJS() as Manifest)
}

describe('for KEDA', () => {
  it('is a Deployment and a ScaledObject that knows the lag of the group', async () => {
    const [deployment, scaledObject, ...more] = await applied()
    expect(more).toEqual([])
    expect(deployment).toMatchObject({apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: 'coinpipe-sink-cassandra'}})
    expect(scaledObject).toMatchObject({
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      spec: {
        scaleTargetRef: {name: 'coinpipe-sink-cassandra'},
        minReplicaCount: 1,
        maxReplicaCount: 6,
        cooldownPeriod: 120,
        fallback: {failureThreshold: 3, behavior: 'currentReplicas'},
        triggers: [
          {
            type: 'kafka',
            metadata: {
              bootstrapServers: 'kafka-1:9092,kafka-2:9092',
              consumerGroup: 'sink.cassandra',
              topic: 'market.trade',
              lagThreshold: '100000',
              allowIdleConsumers: 'false',
            },
          },
        ],
      },
    })
  })

  it('has texts only in the metadata of the trigger, as its API asks', async () => {
    const [, scaledObject] = await applied()
    const triggers = scaledObject?.spec.triggers as {metadata: Record<string, unknown>}[]
    const types = triggers.flatMap(({metadata}) => Object.values(metadata).map((value) => typeof value))
    expect(types).toEqual(Array(7).fill('string'))
  })

  it('adds up the lag of several topics, which several triggers would not', async () => {
    const [, scaledObject] = await applied({topics: ['market.trade', 'market.book']})
    const triggers = scaledObject?.spec.triggers as {metadata: object}[]
    expect(triggers).toHaveLength(1)
    expect(triggers[0]?.metadata).not.toHaveProperty('topic')
  })

  it('has the password in a secret, never in the text', async () => {
    const sasl = `{mechanism: scram-sha-512, username: me, password: "\${SECRET}"}`
    const manifests = renderKubernetes(await options({}, KAFKA.replace('}', `, tls: {}, sasl: ${sasl}}`)))
    expect(manifestText(manifests)).not.toContain('hunter2')
    expect(manifests.map(({kind}) => kind)).toEqual(['Deployment', 'TriggerAuthentication', 'ScaledObject'])
    expect(manifests[1]?.spec).toEqual({
      secretTargetRef: [
        {parameter: 'username', name: 'coinpipe-sink-cassandra', key: 'COINPIPE_BUS_SASL_USERNAME'},
        {parameter: 'password', name: 'coinpipe-sink-cassandra', key: 'COINPIPE_BUS_SASL_PASSWORD'},
      ],
    })
    expect(manifests[2]?.spec.triggers).toMatchObject([
      {metadata: {sasl: 'scram_sha512', tls: 'enable'}, authenticationRef: {name: 'coinpipe-sink-cassandra'}},
    ])
  })
})

describe('for the autoscaler of Kubernetes', () => {
  it('is a Deployment and an HPA on the lag metric', async () => {
    const [deployment, autoscaler] = await applied({rendering: 'hpa'})
    expect(autoscaler).toMatchObject({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      spec: {
        scaleTargetRef: {apiVersion: 'apps/v1', kind: 'Deployment', name: deployment?.metadata.name},
        minReplicas: 1,
        maxReplicas: 6,
        metrics: [
          {
            type: 'External',
            external: {
              metric: {name: 'coinpipe_component_lag_records', selector: {matchLabels: {component: 'cassandra'}}},
              target: {type: 'AverageValue', averageValue: '100000'},
            },
          },
        ],
      },
    })
  })

  it('keeps the periods within what the API takes', async () => {
    const [, autoscaler] = await applied({rendering: 'hpa', limits: {...LIMITS, stabilizeMs: 1, coolDownMs: 86_400_000}})
    expect(autoscaler?.spec.behavior).toEqual({
      scaleUp: {stabilizationWindowSeconds: 1, policies: [{type: 'Percent', value: 100, periodSeconds: 1}]},
      scaleDown: {stabilizationWindowSeconds: 3600, policies: [{type: 'Pods', value: 1, periodSeconds: 1800}]},
    })
  })
})

describe('the Deployment', () => {
  it('leaves the number of replicas to what scales it, and gives workers the time to drain', async () => {
    const [deployment] = await applied()
    expect(deployment?.spec).not.toHaveProperty('replicas')
    expect(deployment?.spec).toMatchObject({template: {spec: {terminationGracePeriodSeconds: 35}}})
  })

  it('runs the sink by the config in the config map', async () => {
    const [deployment] = await applied()
    expect(deployment?.spec).toMatchObject({
      selector: {matchLabels: {'app.kubernetes.io/name': 'coinpipe-sink-cassandra'}},
      template: {
        metadata: {labels: {'app.kubernetes.io/name': 'coinpipe-sink-cassandra'}},
        spec: {
          containers: [
            {
              image: 'registry.example/coinpipe:1',
              args: [
                'sink',
                'cassandra',
                '--skip-expired',
                '--bus=kafka',
                '--brokers=kafka-1:9092,kafka-2:9092',
                '--config=/etc/coinpipe/coinpipe.yaml',
                '--metrics-port=9464',
                '--metrics-host=0.0.0.0',
                '--log-format=json',
              ],
            },
          ],
          volumes: [{name: 'data'}, {name: 'config', configMap: {name: 'coinpipe-sink-cassandra'}}],
        },
      },
    })
  })
})

describe('the metrics of pods', () => {
  it('are where Prometheus and the probe look', async () => {
    const [deployment] = await applied({metrics: {host: '::', port: 9100}})
    expect(deployment?.spec).toMatchObject({
      template: {
        metadata: {annotations: {'prometheus.io/scrape': 'true', 'prometheus.io/port': '9100', 'prometheus.io/path': '/metrics'}},
        spec: {
          containers: [
            {
              args: expect.arrayContaining(['--metrics-port=9100', '--metrics-host=::']),
              ports: [{name: 'metrics', containerPort: 9100}],
              readinessProbe: {httpGet: {path: '/readyz', port: 'metrics'}},
            },
          ],
        },
      },
    })
  })

  it('have a port that is known', async () => {
    const anyPort = await options({metrics: {host: '0.0.0.0', port: 0}})
    expect(() => renderKubernetes(anyPort)).toThrow(expect.objectContaining({code: 'COINPIPE_INVALID_INPUT', exitCode: 2}))
  })
})

describe('what pods cannot share', () => {
  it('is refused: the embedded store, the embedded log', async () => {
    const refusal = expect.objectContaining({code: 'COINPIPE_INVALID_INPUT', exitCode: 2})
    const store = await options({kind: 'store'})
    const embedded = await options({}, 'bus: {kind: embedded}')
    expect(() => renderKubernetes(store)).toThrow(refusal)
    expect(() => renderKubernetes(embedded)).toThrow(refusal)
  })
})
