import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface TargetRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface TargetAnswer {
  readonly status: number;
  readonly body?: unknown;
}

/** A target's API as strict as its specification: what is not allowed there is an error here. */
export type TargetApi = (request: TargetRequest) => TargetAnswer;

export async function startTarget(api: TargetApi) {
  const answered: (TargetRequest & { status: number })[] = [];
  const server = createServer((request, response) => {
    text(request).then(
      (body) => {
        const { method = '', url: path = '', headers } = request;
        const answer = api({ method, path, headers, body });
        answered.push({ method, path, headers, body, status: answer.status });
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    answered,
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};

function jsonOf({ headers, body }: TargetRequest): Record<string, unknown> | null {
  if (!String(headers['content-type']).startsWith('application/json')) return null;
  try {
    return record(JSON.parse(body));
  } catch {
    return null; // answered as the target answers a body that is no JSON
  }
}

const formOf = ({ headers, body }: TargetRequest): URLSearchParams | null =>
  headers['content-type'] === 'application/x-www-form-urlencoded' ? new URLSearchParams(body) : null;

const unknownKeys = (body: object, known: readonly string[]) =>
  Object.keys(body).filter((key) => !known.includes(key));

/** Airflow's `allowed_run_id_pattern` as it is set by default. */
const RUN_ID = /^[A-Za-z0-9_.~:+-]+$/;

function airflow(
  path: string,
  known: readonly string[],
  authorised: (request: TargetRequest) => boolean,
): TargetApi {
  const runs = new Set<string>();
  return (request) => {
    if (request.path !== path) return { status: 404, body: { detail: 'Not Found' } };
    if (request.method !== 'POST') return { status: 405 };
    if (!authorised(request)) return { status: 401, body: { detail: 'Not authenticated' } };
    const body = jsonOf(request);
    if (body === null) return { status: 422, body: { detail: 'no json' } };
    const { dag_run_id: id, conf, note } = body;
    const bad = unknownKeys(body, known);
    if (bad.length > 0) return { status: 422, body: { detail: `extra_forbidden: ${bad}` } };
    if (known.includes('logical_date') && !('logical_date' in body))
      return { status: 422, body: { detail: 'logical_date: field required' } };
    if (typeof id !== 'string' || !RUN_ID.test(id) || id.length > 250)
      return { status: 400, body: { detail: `The run_id provided '${id}' does not match` } };
    if (typeof conf !== 'object' || conf === null || typeof note !== 'string' || note.length > 1_000)
      return { status: 422, body: { detail: 'conf, note' } };
    if (runs.has(id)) return { status: 409, body: { detail: `DAGRun with run_id: '${id}' already exists` } };
    runs.add(id);
    return { status: 200, body: { dag_run_id: id, state: 'queued' } };
  };
}

/** Airflow 3 with the simple auth manager: a token from POST /auth/token (201), an hour valid. */
export function airflow3Api(dag: string, user: string, password: string): TargetApi {
  const api = airflow(
    `/api/v2/dags/${encodeURIComponent(dag)}/dagRuns`,
    ['dag_run_id', 'data_interval_start', 'data_interval_end', 'logical_date', 'run_after', 'conf', 'note'],
    ({ headers }) => headers.authorization === 'Bearer jwt.of.an-hour',
  );
  return (request) => {
    if (request.path !== '/auth/token') return api(request);
    const body = jsonOf(request);
    if (request.method !== 'POST' || body === null || unknownKeys(body, ['username', 'password']).length > 0)
      return { status: 422 };
    return body.username === user && body.password === password
      ? { status: 201, body: { access_token: 'jwt.of.an-hour' } }
      : { status: 401, body: { detail: `Invalid credentials: ${body.username}:${body.password}` } };
  };
}

export const airflow2Api = (dag: string, user: string, password: string): TargetApi =>
  airflow(
    `/api/v1/dags/${dag}/dagRuns`,
    [
      'dag_run_id',
      'logical_date',
      'execution_date',
      'data_interval_start',
      'data_interval_end',
      'conf',
      'note',
    ].filter((key) => key !== 'logical_date'),
    ({ headers }) =>
      headers.authorization === `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  );

function githubRefusal({ headers }: TargetRequest, token: string): TargetAnswer | null {
  if (headers['user-agent'] === undefined) return { status: 403, body: { message: 'no User-Agent' } };
  if (headers.authorization !== `Bearer ${token}`)
    return { status: 401, body: { message: 'Bad credentials' } };
  if (headers.accept !== 'application/vnd.github+json' || headers['x-github-api-version'] !== '2022-11-28')
    return { status: 415, body: { message: 'version' } };
  return null;
}

export const githubDispatchApi =
  (path: string, token: string): TargetApi =>
  (request) => {
    if (request.path !== path || request.method !== 'POST')
      return { status: 404, body: { message: 'Not Found' } };
    const refusal = githubRefusal(request, token);
    if (refusal !== null) return refusal;
    const body = jsonOf(request);
    if (body === null) return { status: 400, body: { message: 'Problems parsing JSON' } };
    const { event_type: type, client_payload: payload } = body;
    const fits =
      unknownKeys(body, ['event_type', 'client_payload']).length === 0 &&
      typeof type === 'string' &&
      type.length <= 100 &&
      Object.keys(record(payload)).length <= 10 &&
      JSON.stringify(payload).length < 65_536;
    return fits ? { status: 204 } : { status: 422, body: { message: 'Invalid request.' } };
  };

export const githubWorkflowApi =
  (path: string, token: string, declared: readonly string[]): TargetApi =>
  (request) => {
    if (request.path !== path || request.method !== 'POST')
      return { status: 404, body: { message: 'Not Found' } };
    const refusal = githubRefusal(request, token);
    if (refusal !== null) return refusal;
    const body = jsonOf(request);
    if (body === null || typeof body.ref !== 'string') return { status: 422, body: { message: 'ref' } };
    const inputs = record(body.inputs);
    const bad = [...unknownKeys(body, ['ref', 'inputs']), ...unknownKeys(inputs, declared)];
    if (bad.length > 0 || Object.values(inputs).some((value) => typeof value !== 'string'))
      return { status: 422, body: { message: `Unexpected inputs provided: ${JSON.stringify(bad)}` } };
    return { status: 204 };
  };

/** Kubeflow's gateway reads JSON into the Run message: unknown fields are errors, and so are parameters that no input has. */
export const kubeflowApi =
  (declared: readonly string[], token: string): TargetApi =>
  (request) => {
    if (request.path !== '/apis/v2beta1/runs' || request.method !== 'POST') return { status: 404 };
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 401, body: { code: 16 } };
    const body = jsonOf(request);
    const known = [
      'experiment_id',
      'display_name',
      'description',
      'pipeline_version_reference',
      'runtime_config',
    ];
    if (body === null || unknownKeys(body, [...known, 'pipeline_spec', 'service_account']).length > 0)
      return { status: 400, body: { code: 3, message: 'unknown field' } };
    const version = record(body.pipeline_version_reference);
    const runtime = record(body.runtime_config);
    if (
      typeof body.display_name !== 'string' ||
      body.display_name === '' ||
      typeof version.pipeline_id !== 'string'
    )
      return { status: 400, body: { code: 3, message: 'display_name, pipeline_id' } };
    if (version.pipeline_version_id === '' || body.experiment_id === '')
      return { status: 400, body: { code: 3, message: 'an empty id' } };
    const bad = unknownKeys(record(runtime.parameters), declared);
    if (bad.length > 0) return { status: 400, body: { code: 3, message: `parameters not defined: ${bad}` } };
    return { status: 200, body: { run_id: '1', state: 'PENDING' } };
  };

/** A webhook event source of Argo Events with an auth secret; whatever is posted goes on the bus. */
export const argoEventsApi =
  (path: string, token: string): TargetApi =>
  (request) => {
    if (request.path !== path || request.method !== 'POST') return { status: 404 };
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 401 };
    if (jsonOf(request) === null) return { status: 400 };
    const { headers } = request;
    const isEvent =
      headers['ce-specversion'] === '1.0' && Boolean(headers['ce-id']) && Boolean(headers['ce-type']);
    return isEvent ? { status: 200, body: 'success' } : { status: 400 };
  };

export const gitlabApi =
  (project: string, ref: string, token: string): TargetApi =>
  (request) => {
    if (request.path !== `/api/v4/projects/${encodeURIComponent(project)}/trigger/pipeline`)
      return { status: 404 };
    const form = formOf(request);
    if (form === null || request.method !== 'POST') return { status: 400, body: { message: 'form' } };
    if (form.get('token') !== token)
      return { status: 404, body: { message: `404 Not Found ${form.get('token')}` } };
    if (form.get('ref') !== ref) return { status: 400, body: { message: { base: ['Reference not found'] } } };
    const bad = [...form.keys()].filter((key) => !/^(token|ref|variables\[\w+\])$/.test(key));
    return bad.length > 0 ? { status: 400, body: { message: bad } } : { status: 201, body: { id: 1 } };
  };

export const jenkinsApi =
  (path: string, user: string, password: string): TargetApi =>
  (request) => {
    if (request.path !== path || request.method !== 'POST') return { status: 404 };
    if (request.headers.authorization !== `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
      return { status: 403 };
    return formOf(request) === null ? { status: 400 } : { status: 201 };
  };

/** Prefect answers 200 for an idempotency key that it knows, and 409 for parameters that the flow does not take. */
export function prefectApi(deployment: string, declared: readonly string[]): TargetApi {
  const known = new Set<string>();
  return (request) => {
    if (request.path !== `/api/deployments/${deployment}/create_flow_run` || request.method !== 'POST')
      return { status: 404, body: { detail: 'Deployment not found' } };
    const body = jsonOf(request);
    if (
      body === null ||
      unknownKeys(body, ['name', 'parameters', 'idempotency_key', 'tags', 'state']).length > 0
    )
      return { status: 422, body: { detail: 'extra fields not permitted' } };
    const bad = unknownKeys(record(body.parameters), declared);
    if (bad.length > 0) return { status: 409, body: { detail: `Error creating flow run: ${bad}` } };
    if (!Array.isArray(body.tags) || typeof body.idempotency_key !== 'string') return { status: 422 };
    const duplicate = known.has(body.idempotency_key);
    known.add(body.idempotency_key);
    return { status: duplicate ? 200 : 201, body: { id: '1' } };
  };
}

export const mlflowApi =
  (model: string, version: string): TargetApi =>
  (request) => {
    if (request.path !== '/api/2.0/mlflow/model-versions/set-tag' || request.method !== 'POST')
      return { status: 404 };
    const body = jsonOf(request);
    const keys = ['name', 'version', 'key', 'value'];
    if (
      body === null ||
      unknownKeys(body, keys).length > 0 ||
      keys.some((key) => typeof body[key] !== 'string')
    )
      return { status: 400, body: { error_code: 'INVALID_PARAMETER_VALUE' } };
    if (body.name !== model || body.version !== version)
      return { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST' } };
    return { status: 200, body: {} };
  };
