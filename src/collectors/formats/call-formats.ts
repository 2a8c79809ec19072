import { ALIASES } from '../decode-event.js';

/** Where a body stands, and where it is told how it is written. */
export interface BodyPlace {
  readonly path: string;
  readonly encoding?: string;
  readonly contentType?: string;
}

/** A format that has a whole inference call in one message. Of paths the first that is there counts. */
export interface CallFormat {
  readonly name: string;
  /** All are there in every message of the format, and not in those of the formats after it. */
  readonly marks: readonly string[];
  readonly predictionId: readonly string[];
  readonly model: readonly string[];
  readonly modelVersion: readonly string[];
  readonly timestamp: readonly string[];
  readonly latencyMs: readonly string[];
  /** Where it says how the call ended; anything but 200 means that nothing was predicted. */
  readonly status: readonly string[];
  readonly request: BodyPlace;
  readonly response: BodyPlace;
}

/** SageMaker data capture: one line of JSONL for each call. The endpoint's name is in the file's path only. */
const SAGEMAKER: CallFormat = {
  name: 'sagemaker',
  marks: ['captureData.endpointInput', 'captureData.endpointOutput'],
  predictionId: ['eventMetadata.inferenceId', 'eventMetadata.eventId'],
  model: [],
  modelVersion: [],
  timestamp: ['eventMetadata.inferenceTime'],
  latencyMs: [],
  status: [],
  request: {
    path: 'captureData.endpointInput.data',
    encoding: 'captureData.endpointInput.encoding',
    contentType: 'captureData.endpointInput.observedContentType',
  },
  response: {
    path: 'captureData.endpointOutput.data',
    encoding: 'captureData.endpointOutput.encoding',
    contentType: 'captureData.endpointOutput.observedContentType',
  },
};

/** Databricks inference tables: of the AI gateway, and the older ones of single endpoints. */
const DATABRICKS: CallFormat = {
  name: 'databricks',
  marks: ['databricks_request_id', 'request'],
  predictionId: ['client_request_id', 'databricks_request_id'],
  model: ['served_entity_name', 'request_metadata.model_name'],
  modelVersion: ['request_metadata.model_version'],
  timestamp: ['timestamp_ms', 'request_time'],
  latencyMs: ['execution_time_ms', 'execution_duration_ms'],
  status: ['status_code'],
  request: { path: 'request' },
  response: { path: 'response' },
};

/** The calls of this service's own event: `request` and `response` in place of features and prediction. */
const CALL: CallFormat = {
  name: 'call',
  marks: ['request', 'response'],
  predictionId: ALIASES.predictionId,
  model: ALIASES.model,
  modelVersion: ALIASES.modelVersion,
  timestamp: ALIASES.timestamp,
  latencyMs: ['latency_ms'],
  status: [],
  request: { path: 'request' },
  response: { path: 'response' },
};

/** In the order in which they are tried. */
export const CALL_FORMATS: readonly CallFormat[] = [SAGEMAKER, DATABRICKS, CALL];
