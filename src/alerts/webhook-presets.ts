/** A way of proving who calls. `signature`: Standard Webhooks. `formToken`: a token in the body. `login`: name and password for a short-lived token. */
export type AuthKind = 'none' | 'signature' | 'bearer' | 'basic' | 'formToken' | 'login';

export type Template = string | null | readonly Template[] | { readonly [key: string]: Template };

/**
 * One target's API as data; `preset-request.ts` makes requests of it.
 *
 * Placeholders in `path`, `headers` and `body`: `{name}` is a parameter of the hook or a value of the event (`id`, `type`, `model`,
 * `model_version`, `category`, `severity`, `episode`, `state`, `page`, `event_json`); a text that is nothing but `{event}` or
 * `{inputs}` becomes that object; one that is nothing but `{name?}` leaves its key out when there is no value; the key `...`
 * spreads its object.
 */
export interface Preset {
  /** The target and where its API is specified. */
  readonly source: string;
  readonly method: 'POST';
  /** Joined to the hook's url, unless that ends in it already; then its parameters are read from there. Empty: the url as it is. */
  readonly path: string;
  /** Parameters of the hook; null where there is no default and one must be given. */
  readonly params: Readonly<Record<string, string | null>>;
  readonly headers: Readonly<Record<string, string>>;
  /** `event`: the event's body as it was written. */
  readonly body: Template | 'event';
  readonly encoding: 'json' | 'form';
  /** Accepted credentials; the first that the hook has is used. */
  readonly auth: readonly AuthKind[];
  readonly login?: {
    readonly path: string;
    readonly tokenField: string;
  };
  readonly success: readonly number[] | '2xx';
  /** Answers that say that this very run exists already: the delivery has succeeded before. */
  readonly duplicate: readonly number[];
  /** Whether each delivery starts work: then it counts for `maxPerDay` and `cooldown`, and only retraining is sent by default. */
  readonly startsRuns: boolean;
}

const JSON_TYPE = { 'content-type': 'application/json' } as const;
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' } as const;
const CLOUD_EVENT = {
  'ce-specversion': '1.0',
  'ce-id': '{id}',
  'ce-type': '{type}',
  'ce-source': '/models/{model}',
  'ce-time': '{time}',
} as const;

export const PRESETS = {
  webhook: {
    source: 'Standard Webhooks 1.0 and CloudEvents 1.0, github.com/standard-webhooks/standard-webhooks',
    method: 'POST',
    path: '',
    params: {},
    headers: { ...JSON_TYPE, ...CLOUD_EVENT },
    body: 'event',
    encoding: 'json',
    auth: ['signature'],
    success: '2xx',
    duplicate: [],
    startsRuns: false,
  },
  airflow3: {
    source:
      'Airflow 3, TriggerDAGRunPostBody (unknown keys are refused, logical_date must be there) and POST /auth/token',
    method: 'POST',
    path: '/api/v2/dags/{dag}/dagRuns',
    params: { dag: null },
    headers: JSON_TYPE,
    body: {
      dag_run_id: 'plumbline__{id}',
      logical_date: null,
      conf: { plumbline: '{event}', '...': '{inputs}' },
      note: 'Plumbline: {type} of {model} {model_version}, episode {episode}',
    },
    encoding: 'json',
    auth: ['login', 'bearer'],
    login: { path: '/auth/token', tokenField: 'access_token' },
    success: [200, 201],
    duplicate: [409],
    startsRuns: true,
  },
  airflow2: {
    source: 'Airflow 2 stable REST API, post_dag_run',
    method: 'POST',
    path: '/api/v1/dags/{dag}/dagRuns',
    params: { dag: null },
    headers: JSON_TYPE,
    body: {
      dag_run_id: 'plumbline__{id}',
      conf: { plumbline: '{event}', '...': '{inputs}' },
      note: 'Plumbline: {type} of {model} {model_version}, episode {episode}',
    },
    encoding: 'json',
    auth: ['basic', 'bearer'],
    success: [200, 201],
    duplicate: [409],
    startsRuns: true,
  },
  githubDispatch: {
    source:
      'GitHub REST API, create a repository dispatch event (event_type ≤ 100 characters, client_payload ≤ 10 keys)',
    method: 'POST',
    path: '/repos/{owner}/{repo}/dispatches',
    params: { owner: null, repo: null, eventType: 'plumbline-retraining' },
    headers: { ...JSON_TYPE, accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
    body: {
      event_type: '{eventType}',
      client_payload: { id: '{id}', plumbline: '{event}', inputs: '{inputs}' },
    },
    encoding: 'json',
    auth: ['bearer'],
    success: [204],
    duplicate: [],
    startsRuns: true,
  },
  githubWorkflow: {
    source: 'GitHub REST API, create a workflow dispatch event (inputs must be declared in the workflow)',
    method: 'POST',
    path: '/repos/{owner}/{repo}/actions/workflows/{workflow}/dispatches',
    params: { owner: null, repo: null, workflow: null, ref: 'main' },
    headers: { ...JSON_TYPE, accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
    body: { ref: '{ref}', inputs: { '...': '{inputs}' } },
    encoding: 'json',
    auth: ['bearer'],
    success: [200, 204],
    duplicate: [],
    startsRuns: true,
  },
  kubeflow: {
    source: 'Kubeflow Pipelines v2beta1, RunService.CreateRun (parameters must be declared in the pipeline)',
    method: 'POST',
    path: '/apis/v2beta1/runs',
    params: { pipelineId: null, pipelineVersionId: '', experimentId: '' },
    headers: JSON_TYPE,
    body: {
      display_name: 'plumbline {model} {id}',
      description: '{type} of {model} {model_version}, episode {episode}',
      experiment_id: '{experimentId?}',
      pipeline_version_reference: {
        pipeline_id: '{pipelineId}',
        pipeline_version_id: '{pipelineVersionId?}',
      },
      runtime_config: { parameters: { '...': '{inputs}' } },
    },
    encoding: 'json',
    auth: ['bearer', 'none'],
    success: [200],
    duplicate: [],
    startsRuns: true,
  },
  argoEvents: {
    source: 'Argo Events webhook event source (bearer by authSecret; the sensor sees header and body)',
    method: 'POST',
    path: '',
    params: {},
    headers: { ...JSON_TYPE, ...CLOUD_EVENT },
    body: 'event',
    encoding: 'json',
    auth: ['bearer', 'signature', 'none'],
    success: [200, 202, 204],
    duplicate: [],
    startsRuns: true,
  },
  gitlab: {
    source: 'GitLab REST API, trigger a pipeline with a token',
    method: 'POST',
    path: '/api/v4/projects/{project}/trigger/pipeline',
    params: { project: null, ref: 'main' },
    headers: FORM_TYPE,
    body: {
      token: '{token}',
      ref: '{ref}',
      variables: { PLUMBLINE_EVENT: '{event_json}', PLUMBLINE_EVENT_ID: '{id}', '...': '{inputs}' },
    },
    encoding: 'form',
    auth: ['formToken'],
    success: [201],
    duplicate: [],
    startsRuns: true,
  },
  jenkins: {
    source: 'Jenkins remote access API, buildWithParameters (an API token needs no crumb)',
    method: 'POST',
    path: '/job/{job}/buildWithParameters',
    params: { job: null },
    headers: FORM_TYPE,
    body: { PLUMBLINE_EVENT: '{event_json}', PLUMBLINE_EVENT_ID: '{id}', '...': '{inputs}' },
    encoding: 'form',
    auth: ['basic'],
    success: [201],
    duplicate: [],
    startsRuns: true,
  },
  prefect: {
    source:
      'Prefect 3 REST API, create flow run from deployment (201 new, 200 known key, 409 parameters that do not fit)',
    method: 'POST',
    path: '/deployments/{deployment}/create_flow_run',
    params: { deployment: null },
    headers: JSON_TYPE,
    body: {
      name: 'plumbline-{id}',
      parameters: { '...': '{inputs}' },
      idempotency_key: '{id}',
      tags: ['plumbline', '{model}', '{episode}'],
    },
    encoding: 'json',
    auth: ['bearer', 'basic', 'none'],
    success: [200, 201],
    duplicate: [],
    startsRuns: true,
  },
  mlflowTag: {
    source:
      'MLflow REST API 2.0, model-versions/set-tag (the model and version must be called the same in the registry)',
    method: 'POST',
    path: '/api/2.0/mlflow/model-versions/set-tag',
    params: { name: '{model}', version: '{model_version}', key: 'plumbline.{category}' },
    headers: JSON_TYPE,
    body: { name: '{name}', version: '{version}', key: '{key}', value: '{state}' },
    encoding: 'json',
    auth: ['bearer', 'basic', 'none'],
    success: [200],
    duplicate: [],
    startsRuns: false,
  },
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]];

export const presetOf = (name: PresetName): Preset => PRESETS[name];
