import { ClickHouseError } from '@clickhouse/client';
import { AppError, messageOf } from '../errors.js';

/**
 * Engine errors that the same request will meet again however often it is sent: our SQL or our encoding is wrong.
 * Everything else (disk full, no memory, too many parts, a missing table, a wrong password, a cut connection, an
 * unknown code) heals by itself or by an operator's hand, so it is retryable: no row may be given up for it.
 */
const BUG_CODES: ReadonlySet<string> = new Set([
  '6', // CANNOT_PARSE_TEXT
  '10', // NOT_FOUND_COLUMN_IN_BLOCK
  '25', // CANNOT_PARSE_ESCAPE_SEQUENCE
  '26', // CANNOT_PARSE_QUOTED_STRING
  '27', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  '36', // BAD_ARGUMENTS
  '41', // CANNOT_PARSE_DATETIME
  '42', // NUMBER_OF_ARGUMENTS_DOESNT_MATCH
  '43', // ILLEGAL_TYPE_OF_ARGUMENT
  '46', // UNKNOWN_FUNCTION
  '47', // UNKNOWN_IDENTIFIER
  '53', // TYPE_MISMATCH
  '62', // SYNTAX_ERROR
  '69', // ARGUMENT_OUT_OF_BOUND
  '72', // CANNOT_PARSE_NUMBER
  '117', // INCORRECT_DATA
  '456', // UNKNOWN_QUERY_PARAMETER
  '457', // BAD_QUERY_PARAMETER
]);

/** Longest engine message that is passed on: a syntax error quotes the whole statement. */
const MESSAGE_LIMIT = 600;

const FULL = 'its disk is full, free some of it or enlarge it';
const REFUSED = 'it refuses the user or the password, check store.username and what store.passwordEnv names';
/** What is wrong, and what to do, for errors that wait for an operator. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['243', FULL], // NOT_ENOUGH_SPACE
  ['164', 'its user may only read, take readonly out of the settings profile of that user'], // READONLY
  ['242', 'a table is read only, look whether the replica has lost its Keeper'], // TABLE_IS_READ_ONLY
  ['192', REFUSED], // UNKNOWN_USER
  ['193', REFUSED], // WRONG_PASSWORD
  ['194', REFUSED], // REQUIRED_PASSWORD
  ['516', REFUSED], // AUTHENTICATION_FAILED
  ['497', 'its user lacks a right, grant it all on the database'], // ACCESS_DENIED
]);
const DISK_FULL = /No space left on device|ENOSPC/;

/** Turns whatever the client threw into an AppError `store_unavailable`; an AppError passes through. */
export function toStoreError(cause: unknown, operation: string): AppError {
  if (cause instanceof AppError) return cause;
  const engineCode = cause instanceof ClickHouseError ? cause.code : undefined;
  const text = messageOf(cause).slice(0, MESSAGE_LIMIT);
  const advice = DISK_FULL.test(messageOf(cause)) ? FULL : ADVICE.get(engineCode ?? '');
  const said = engineCode === undefined ? text : `engine error ${engineCode}: ${text}`;
  const reason = advice === undefined ? said : `${advice}: ${said}`;
  return new AppError('store_unavailable', `the store cannot ${operation}: ${reason}`, {
    cause,
    retryable: engineCode === undefined || !BUG_CODES.has(engineCode),
  });
}

/** The engine's error code in the chain of causes of a store error, or null. */
export function engineErrorCode(error: unknown): number | null {
  const cause = error instanceof AppError ? error.cause : error;
  return cause instanceof ClickHouseError ? Number(cause.code) : null;
}
