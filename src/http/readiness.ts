/** One thing that a process needs to do its work. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What is going on, for people. */
  readonly detail: string;
}

/** The body of `/readyz`: `reason`, which is there only when something is wrong, says all of it in one line. */
export function readinessBody(storeFailure: string | null, checks: readonly ReadinessCheck[]) {
  const failures = [
    ...(storeFailure === null ? [] : [storeFailure]),
    ...checks.filter(({ ok }) => !ok).map(({ detail }) => detail),
  ];
  return {
    status: failures.length === 0 ? ('ready' as const) : ('not ready' as const),
    ...(failures.length === 0 ? {} : { reason: failures.join('; ') }),
    ...(checks.length === 0 ? {} : { checks }),
  };
}
