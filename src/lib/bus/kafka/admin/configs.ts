import type {describeConfigsV4} from '@platformatic/kafka'
import {ConfigResourceTypes, ConfigSources, IncrementalAlterConfigOperationTypes} from '@platformatic/kafka'
import type {NodeSetting} from '../../../core/ports/bus.ts'
import type {Target} from '../client.ts'
import type {Requests} from './requests.ts'
import type {Settings} from './topic-config.ts'

type DescribedConfig = describeConfigsV4.DescribeConfigsResponseConfig

export interface Resource {
  readonly type: 'topic' | 'broker'
  readonly name: string
}

/** The settings that hold for a topic. */
export interface TopicSettings {
  readonly all: Settings
  /** What kafka-topics lists: not what the server has without any configuration. */
  readonly configured: Settings
  /** Set for this topic. */
  readonly own: Settings
}

export async function topicSettings(requests: Requests, topic: string): Promise<TopicSettings> {
  const configs = await describe(requests, {type: 'topic', name: topic}, 'any')
  const from = (isWanted: (source: number) => boolean) =>
    Object.fromEntries(configs.filter(({configSource}) => isWanted(configSource)).map(({name, value}) => [name, value ?? '']))
  return {
    all: from(() => true),
    configured: from((source) => source !== ConfigSources.DEFAULT_CONFIG),
    own: from((source) => source === ConfigSources.DYNAMIC_TOPIC_CONFIG),
  }
}

/** Sorted by name. Kafka does not tell the values of secrets. */
export async function brokerSettings(requests: Requests, id: number): Promise<NodeSetting[]> {
  const configs = await describe(requests, {type: 'broker', name: String(id)}, {node: id})
  return configs.map(nodeSetting).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A setting may be in the broker's file and yet be the default. */
function nodeSetting({name, value, readOnly, isSensitive, configSource, synonyms}: DescribedConfig): NodeSetting {
  const defaultValue = synonyms.find(({source}) => source === ConfigSources.DEFAULT_CONFIG)?.value ?? null
  const isDefault = configSource === ConfigSources.DEFAULT_CONFIG || (defaultValue !== null && value === defaultValue)
  return {name, value: isSensitive ? null : (value ?? ''), isDefault, defaultValue, readOnly}
}

/** Sets what has a value and takes back what is null, all of it or nothing; InvalidInputError says what the brokers do not take. */
export async function alterSettings(
  requests: Requests,
  {type, name}: Resource,
  settings: Readonly<Record<string, string | null>>,
  target: Target,
): Promise<void> {
  const {SET, DELETE} = IncrementalAlterConfigOperationTypes
  const configs = Object.entries(settings).map(([setting, value]) => ({
    name: setting,
    configOperation: value === null ? DELETE : SET,
    value,
  }))
  if (configs.length === 0) return
  const resource = {resourceType: resourceType(type), resourceName: name, configs}
  await requests.call(target, 'IncrementalAlterConfigs', [[resource], false], {what: `change ${type} '${name}'`})
}

async function describe(requests: Requests, {type, name}: Resource, target: Target): Promise<readonly DescribedConfig[]> {
  const args = [[{resourceType: resourceType(type), resourceName: name, configurationKeys: null}], true, false]
  const answer = await requests.call<describeConfigsV4.DescribeConfigsResponse>(target, 'DescribeConfigs', args, {
    what: `look up the settings of ${type} '${name}'`,
  })
  return answer.results[0]?.configs ?? []
}

function resourceType(type: Resource['type']): number {
  return type === 'topic' ? ConfigResourceTypes.TOPIC : ConfigResourceTypes.BROKER
}
