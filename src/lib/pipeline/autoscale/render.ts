/**
 * The same autoscaling on Kubernetes, as objects of its API: a Deployment of the sink, and what scales it. Fields by the API references of
 * apps/v1, autoscaling/v2 and keda.sh/v1alpha1 (Apache Kafka scaler).
 */

import {stringify} from 'yaml'
import type {Config} from '../../config/load.ts'
import {InvalidInputError} from '../../core/errors.ts'
import type {ScaleLimits} from './decide.ts'

export const RENDERINGS = ['keda', 'hpa'] as const

export interface RenderOptions {
  readonly rendering: (typeof RENDERINGS)[number]
  /** Label of the metrics. */
  readonly kind: string
  readonly group: string
  readonly topics: readonly string[]
  /** Of the bus, which must be Kafka: pods share no embedded log. */
  readonly bus: Config['bus']
  readonly limits: ScaleLimits
  /** Records that one worker gets done within the target. */
  readonly lagPerWorker: number
  readonly drainMs: number
  readonly image: string
  /** The command line of a worker, without how the bus is reached and where the config is. */
  readonly args: readonly string[]
  /** Where each pod serves its metrics. */
  readonly metrics: {readonly host: string; readonly port: number}
  /** Whether workers read a coinpipe.yaml. */
  readonly hasConfig: boolean
}

/** An object of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {readonly name: string}
  readonly spec: Readonly<Record<string, unknown>>
}

/** Port of the metrics where none is named; the one that OpenTelemetry's exporter for Prometheus takes. */
export const METRICS_PORT = 9464
const CONFIG_FOLDER = '/etc/coinpipe'
const DATA_FOLDER = '/data'
const GRACE_SECONDS = 5
/** Most that the API takes. */
const LONGEST_PERIOD_SECONDS = 1800
const LONGEST_WINDOW_SECONDS = 3600
/** Version of Kafka's protocol that KEDA speaks: its own default is refused by brokers since 4.0. */
const PROTOCOL_VERSION = '3.0.0'

/** Throws InvalidInputError where pods could not share the work. */
export function renderKubernetes(options: RenderOptions): readonly Manifest[] {
  const {bus, kind, rendering, metrics} = options
  if (kind === 'store') {
    throw new InvalidInputError('the embedded store is a file of one machine, which pods do not share', {
      remedy: ['render a sink that is a server: coinpipe sink autoscale cassandra --render keda'],
    })
  }
  if (bus.kind !== 'kafka' || bus.brokers.length === 0) {
    throw new InvalidInputError(
      `pods share no embedded log, and the bus is ${bus.kind === 'kafka' ? 'Kafka without brokers' : 'embedded'}`,
      {
        remedy: ['name brokers that pods can reach: --bus kafka --brokers host:port,…'],
      },
    )
  }
  if (metrics.port === 0) {
    throw new InvalidInputError('--metrics-port 0 would be another port in each pod, and nobody would know which', {
      remedy: [`write one, or leave it away: then it is ${METRICS_PORT}`],
    })
  }
  return [deployment(options), ...(rendering === 'keda' ? keda(options) : [horizontalPodAutoscaler(options)])]
}

/** YAML documents, one after the other, as `kubectl apply` takes them. */
export function manifestText(manifests: readonly Manifest[]): string {
  return manifests.map((manifest) => stringify(manifest, {lineWidth: 0})).join('---\n')
}

function nameOf({group}: RenderOptions): string {
  const name = `coinpipe-${group}`.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return name.slice(0, 50).replace(/-+$/, '')
}

/** Without `replicas`: they belong to what scales it, and would be set back by each `kubectl apply`. */
function deployment(options: RenderOptions): Manifest {
  const {bus, drainMs, image, args, hasConfig, metrics} = options
  const name = nameOf(options)
  const labels = {'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': 'coinpipe'}
  const container = {
    name: 'sink',
    image,
    args: [
      ...args,
      '--bus=kafka',
      `--brokers=${bus.brokers.join(',')}`,
      ...(hasConfig ? [`--config=${CONFIG_FOLDER}/coinpipe.yaml`] : []),
      `--metrics-port=${metrics.port}`,
      `--metrics-host=${metrics.host}`,
      '--log-format=json',
    ],
    ports: [{name: 'metrics', containerPort: metrics.port}],
    // No liveness probe: health is bad while Cassandra is down, and a pod that is started again does not mend that.
    readinessProbe: {httpGet: {path: '/readyz', port: 'metrics'}, periodSeconds: 10, timeoutSeconds: 5},
    env: [{name: 'COINPIPE_DATA_DIR', value: DATA_FOLDER}],
    envFrom: [{secretRef: {name, optional: true}}],
    resources: {requests: {cpu: '500m', memory: '512Mi'}, limits: {memory: '1Gi'}},
    volumeMounts: [
      {name: 'data', mountPath: DATA_FOLDER},
      ...(hasConfig ? [{name: 'config', mountPath: CONFIG_FOLDER, readOnly: true}] : []),
    ],
  }
  const volumes = [{name: 'data', emptyDir: {}}, ...(hasConfig ? [{name: 'config', configMap: {name}}] : [])]
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name},
    spec: {
      selector: {matchLabels: {'app.kubernetes.io/name': name}},
      template: {
        metadata: {labels, annotations: scrapeAnnotations(metrics.port)},
        spec: {terminationGracePeriodSeconds: Math.ceil(drainMs / 1000) + GRACE_SECONDS, containers: [container], volumes},
      },
    },
  }
}

/** What usual configurations of Prometheus look for. */
function scrapeAnnotations(port: number): Readonly<Record<string, string>> {
  return {'prometheus.io/scrape': 'true', 'prometheus.io/port': String(port), 'prometheus.io/path': '/metrics'}
}

function keda(options: RenderOptions): Manifest[] {
  const {bus, group, topics, limits, lagPerWorker} = options
  const name = nameOf(options)
  const authentication = triggerAuthentication(options)
  const trigger = {
    type: 'kafka',
    metadata: {
      bootstrapServers: bus.brokers.join(','),
      consumerGroup: group,
      // Without a topic the lag is that of all topics of the group together; several triggers would not be added up.
      ...(topics.length === 1 ? {topic: topics[0]} : {}),
      lagThreshold: String(lagPerWorker),
      offsetResetPolicy: 'earliest',
      allowIdleConsumers: 'false',
      version: PROTOCOL_VERSION,
      ...(bus.sasl
        ? {sasl: bus.sasl.mechanism === 'plain' ? 'plaintext' : bus.sasl.mechanism.replaceAll('-', '').replace('scramsha', 'scram_sha')}
        : {}),
      ...(bus.tls ? {tls: 'enable'} : {}),
    },
    ...(authentication.length > 0 ? {authenticationRef: {name}} : {}),
  }
  const scaledObject: Manifest = {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: {name},
    spec: {
      scaleTargetRef: {name},
      pollingInterval: 15,
      // Counts only on the way to no replica at all; between more of them `behavior` does.
      cooldownPeriod: seconds(limits.coolDownMs),
      minReplicaCount: limits.min,
      maxReplicaCount: limits.max,
      // Lag that is not known changes nothing.
      fallback: {failureThreshold: 3, replicas: limits.min, behavior: 'currentReplicas'},
      advanced: {horizontalPodAutoscalerConfig: {behavior: behavior(limits)}},
      triggers: [trigger],
    },
  }
  return [...authentication, scaledObject]
}

/** What brokers ask for is in the secret of the same name, under the names of the sink's variables: one secret for both. */
function triggerAuthentication(options: RenderOptions): Manifest[] {
  const {sasl, tls} = options.bus
  const name = nameOf(options)
  const secretTargetRef = [
    ...(sasl ? ['username', 'password'].map((parameter) => ({parameter, name, key: `COINPIPE_BUS_SASL_${parameter.toUpperCase()}`})) : []),
    ...(['ca', 'cert', 'key'] as const)
      .filter((parameter) => tls?.[parameter] !== undefined)
      .map((parameter) => ({parameter, name, key: `COINPIPE_BUS_TLS_${parameter.toUpperCase()}`})),
  ]
  if (secretTargetRef.length === 0) return []
  return [{apiVersion: 'keda.sh/v1alpha1', kind: 'TriggerAuthentication', metadata: {name}, spec: {secretTargetRef}}]
}

function horizontalPodAutoscaler(options: RenderOptions): Manifest {
  const {kind, limits, lagPerWorker} = options
  const name = nameOf(options)
  const metric = {name: 'coinpipe_component_lag_records', selector: {matchLabels: {component: kind}}}
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {name},
    spec: {
      scaleTargetRef: {apiVersion: 'apps/v1', kind: 'Deployment', name},
      minReplicas: limits.min,
      maxReplicas: limits.max,
      metrics: [{type: 'External', external: {metric, target: {type: 'AverageValue', averageValue: String(lagPerWorker)}}}],
      behavior: behavior(limits),
    },
  }
}

/** Up to twice as many in a window, down by one in a cool-down: as `coinpipe sink autoscale` itself. */
function behavior({stabilizeMs, coolDownMs}: ScaleLimits): object {
  const [up, down] = [seconds(stabilizeMs), seconds(coolDownMs)]
  return {
    scaleUp: {
      stabilizationWindowSeconds: Math.min(up, LONGEST_WINDOW_SECONDS),
      policies: [{type: 'Percent', value: 100, periodSeconds: Math.min(up, LONGEST_PERIOD_SECONDS)}],
    },
    scaleDown: {
      stabilizationWindowSeconds: Math.min(down, LONGEST_WINDOW_SECONDS),
      policies: [{type: 'Pods', value: 1, periodSeconds: Math.min(down, LONGEST_PERIOD_SECONDS)}],
    },
  }
}

function seconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1000))
}
