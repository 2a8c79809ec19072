/** Codes are part of the interface (HTTP answers, exit messages): documented in docs/errors.md, never reused. */
export type ErrorCode =
  | 'config_invalid'
  | 'port_in_use'
  | 'data_dir_in_use'
  | 'data_dir_unusable'
  | 'store_unavailable'
  | 'store_misconfigured'
  | 'migration_failed'
  | 'unknown_model'
  | 'invalid_reference'
  | 'invalid_schema'
  | 'invalid_request'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'unauthorized'
  | 'forbidden'
  | 'model_forbidden'
  | 'not_found'
  | 'conflict'
  | 'overloaded'
  | 'file_unreadable'
  | 'service_unreachable'
  | 'checks_failed'
  | 'demo_failed'
  | 'interrupted';

/** An operational failure: says what happened, the value concerned, and what to do. Bugs are TypeError or RangeError instead. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; retryable?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Handles the failure of reading a file or a directory: where there is none, `value` stands for it; any other error goes on. */
export function whereMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value;
    throw error;
  };
}
