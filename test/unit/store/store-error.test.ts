import { ClickHouseError } from '@clickhouse/client';
import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../../src/errors.js';
import { engineErrorCode, toStoreError } from '../../../src/store/store-error.js';

const engineError = (code: string) => new ClickHouseError({ message: `failed ${code}`, code, type: 'X' });

describe('toStoreError', () => {
  test.each([
    ['not enough space', '243', true],
    ['too many parts', '252', true],
    ['unknown table', '60', true],
    ['wrong password', '516', true],
    ['a code nobody knows', '99999', true],
    ['our syntax', '62', false],
    ['our encoding', '27', false],
  ])('%s (%s) is retryable: %p', (_name, code, retryable) => {
    const error = toStoreError(engineError(code), 'insert');
    expect(error).toMatchObject({ code: 'store_unavailable', retryable });
    expect(error.message).toContain(`engine error ${code}`);
    expect(engineErrorCode(error)).toBe(Number(code));
  });

  test.each([
    engineError('243'),
    new Error(
      'Code: 75. DB::ErrnoException: Cannot write to file: errno: 28, strerror: No space left on device',
    ),
    new Error('ENOSPC: no space left on device, write'),
  ])('a full disk is named, and what to do about it: %s', (cause) => {
    const error = toStoreError(cause, 'insert');
    expect(error).toMatchObject({ code: 'store_unavailable', retryable: true });
    expect(error.message).toMatch(/its disk is full, free some/);
  });

  test.each([
    ['164', /its user may only read, take readonly out of the settings profile/],
    ['242', /a table is read only, look whether the replica/],
    ['192', /refuses the user or the password, check store\.username/],
    ['193', /refuses the user or the password/],
    ['194', /refuses the user or the password/],
    ['516', /refuses the user or the password/],
    ['497', /lacks a right, grant it/],
  ])('%s waits for an operator, who is told what to do', (code, advice) => {
    const error = toStoreError(engineError(code), 'insert');
    expect(error).toMatchObject({ code: 'store_unavailable', retryable: true });
    expect(error.message).toMatch(advice);
    expect(error.message).toContain(`engine error ${code}: failed ${code}`);
  });

  test('a cut connection is retryable', () => {
    const error = toStoreError(new Error('socket hang up'), 'insert');
    expect(error).toMatchObject({ code: 'store_unavailable', retryable: true });
    expect(engineErrorCode(error)).toBeNull();
  });

  test('passes an AppError on, and bounds what the engine quotes', () => {
    const known = new AppError('data_dir_in_use', 'in use');
    expect(toStoreError(known, 'open')).toBe(known);
    expect(toStoreError(new Error('x'.repeat(100_000)), 'insert').message.length).toBeLessThan(1_000);
  });
});
